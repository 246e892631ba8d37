/**
 * ESLint rule: each exported declaration has a TSDoc comment. Re-exports (`export { x } from`) carry the comment of where they
 * come from, and overloads that of the first.
 */
export const tsdocOnExports = {
  meta: {
    type: 'suggestion',
    schema: [],
    messages: { missing: 'Exported "{{name}}" needs a TSDoc comment whose first sentence says what it is.' },
  },
  create(context) {
    const { sourceCode } = context;

    function nameOf(declaration) {
      return declaration.id?.name ?? declaration.declarations?.[0]?.id.name ?? '?';
    }

    function isDocumented(node) {
      const last = sourceCode.getCommentsBefore(node).at(-1);
      return last?.type === 'Block' && last.value.startsWith('*');
    }

    const overloads = new Set();
    return {
      ExportNamedDeclaration(node) {
        const { declaration } = node;
        if (!declaration) return;
        const name = nameOf(declaration);
        if (declaration.type === 'TSDeclareFunction' || declaration.type === 'FunctionDeclaration') {
          if (overloads.has(name)) return;
          overloads.add(name);
        }
        if (!isDocumented(node)) context.report({ node, messageId: 'missing', data: { name } });
      },
    };
  },
};
