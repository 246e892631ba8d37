/**
 * ESLint rules for what a style guide would ask for, so that nobody has to. All of them mend what they find: `npm run lint -- --fix`,
 * several times where one file has many, and `npm run types` after it.
 */
import path from 'node:path';

/** A declaration at the top of a file without `export` around it. */
const declarationOf = (statement) =>
  (statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement) ?? statement;

/** Name of the class or function that a statement declares. */
function callableName(statement) {
  const declaration = declarationOf(statement);
  return /^(?:Function|Class)Declaration$/.test(declaration.type) ? declaration.id?.name : undefined;
}

/** Name of what may be the main export: as {@link callableName}, or a constant that holds a function. */
function mainName(statement) {
  const [first] = declarationOf(statement).declarations ?? [];
  const isFunction = /^(?:Arrow)?FunctionExpression$/.test(first?.init?.type ?? '');
  return callableName(statement) ?? (isFunction ? first.id.name : undefined);
}

/** `session-driver.ts` and `SessionDriver` are the same. */
const plain = (name) => name.replaceAll(/[-_]/g, '').toLowerCase();

/** The source range of a statement with the comments that belong to it. */
function rangeWithComments(sourceCode, statement) {
  let start = statement.range[0];
  for (const comment of sourceCode.getCommentsBefore(statement).toReversed()) {
    // A blank line ends what belongs to a statement.
    if (/\n\s*\n/.test(sourceCode.text.slice(comment.range[1], start))) break;
    start = comment.range[0];
  }
  return [start, statement.range[1]];
}

/**
 * The export that a file is named after comes before the functions and classes that help it, so that a reader meets the purpose
 * first. Types and constants may stand before it, and a class that it extends must.
 */
export const mainExportFirst = {
  meta: {
    type: 'layout',
    schema: [],
    fixable: 'code',
    messages: { late: '"{{main}}", after which this file is named, comes before "{{helper}}", which helps it.' },
  },
  create(context) {
    const { sourceCode } = context;
    const wanted = plain(path.basename(context.filename).replace(/\.tsx?$/, ''));
    return {
      Program({ body }) {
        const main = body.find(
          (statement) => statement.type === 'ExportNamedDeclaration' && plain(mainName(statement) ?? '') === wanted,
        );
        if (main === undefined) return;
        // Overloads are declarations of their own, and stay with their function.
        const name = mainName(main);
        const isOverload = (statement) =>
          statement.type === 'ExportNamedDeclaration' &&
          statement.declaration?.type === 'TSDeclareFunction' &&
          statement.declaration.id.name === name;
        const first = body.find(isOverload) ?? main;
        const base = declarationOf(main).superClass?.name;
        const helpers = body
          .slice(0, body.indexOf(first))
          .filter((statement) => ![undefined, base].includes(callableName(statement)));
        if (helpers.length === 0) return;
        context.report({
          node: first,
          messageId: 'late',
          data: { main: name, helper: callableName(helpers[0]) },
          // They go behind it, in their order. Types and constants stay where they are.
          fix(fixer) {
            const { text } = sourceCode;
            const ranges = helpers.map((helper) => rangeWithComments(sourceCode, helper));
            const moved = ranges.map(([start, end]) => `\n\n${text.slice(start, end)}`).join('');
            const withGap = ([start, end]) => [start, end + /^\s*/.exec(text.slice(end))[0].length];
            return [...ranges.map((range) => fixer.removeRange(withGap(range))), fixer.insertTextAfter(main, moved)];
          },
        });
      },
    };
  },
};

/** Members that only their class may use are `#members`: the language keeps them, not the compiler. A constructor cannot be one. */
export const hashPrivate = {
  meta: {
    type: 'suggestion',
    schema: [],
    fixable: 'code',
    messages: { keyword: '"{{name}}" is private: call it "#{{name}}" instead of using the keyword.' },
  },
  create(context) {
    const { sourceCode } = context;

    /** All nodes of a class but those of classes inside it, whose `this` is another one. */
    function nodesOf(node) {
      const children = sourceCode.visitorKeys[node.type]
        .flatMap((key) => node[key] ?? [])
        // An array may have holes.
        .filter((child) => child !== null && !/^Class(?:Declaration|Expression)$/.test(child.type));
      return [node, ...children.flatMap(nodesOf)];
    }

    const isUse = (node, name) =>
      node.type === 'MemberExpression' &&
      !node.computed &&
      node.object.type === 'ThisExpression' &&
      node.property.name === name;

    /** `const { name } = this`, which has no form with a #. */
    const isUnpacked = (node, name) =>
      node.type === 'VariableDeclarator' &&
      node.init?.type === 'ThisExpression' &&
      node.id.properties?.some(({ key }) => key?.name === name);

    function check(node) {
      if (node.accessibility !== 'private' || node.kind === 'constructor' || node.computed) return;
      const { name } = node.key;
      const keyword = sourceCode.getFirstToken(node, ({ value }) => value === 'private');
      const inClass = nodesOf(node.parent);
      const fix = (fixer) => [
        fixer.removeRange([keyword.range[0], sourceCode.getTokenAfter(keyword).range[0]]),
        fixer.insertTextBefore(node.key, '#'),
        ...inClass.filter((use) => isUse(use, name)).map(({ property }) => fixer.insertTextBefore(property, '#')),
      ];
      const canFix = !inClass.some((use) => isUnpacked(use, name));
      context.report({ node: node.key, messageId: 'keyword', data: { name }, ...(canFix && { fix }) });
    }
    return { PropertyDefinition: check, MethodDefinition: check, AccessorProperty: check };
  },
};

/** Tests are called `test`; `it` is the same function under a second name. */
export const testNotIt = {
  meta: {
    type: 'suggestion',
    schema: [],
    fixable: 'code',
    messages: { it: 'Tests are called "test" here, not "it".' },
  },
  create(context) {
    const { sourceCode } = context;

    /** The range of a name in a list together with a comma, so that a list is left. */
    function withComma(node) {
      const after = sourceCode.getTokenAfter(node);
      if (after.value === ',') return [node.range[0], sourceCode.getTokenAfter(after).range[0]];
      return [sourceCode.getTokenBefore(node).range[0], node.range[1]];
    }
    return {
      ImportSpecifier(node) {
        if (node.parent.source.value !== 'vitest' || node.imported.name !== 'it') return;
        const [variable] = sourceCode.getDeclaredVariables(node);
        const others = node.parent.specifiers.filter((specifier) => specifier !== node);
        const isImported = others.some((specifier) => specifier.local.name === 'test');
        context.report({
          node,
          messageId: 'it',
          fix: (fixer) => [
            isImported ? fixer.removeRange(withComma(node)) : fixer.replaceText(node, 'test'),
            ...variable.references.map(({ identifier }) => fixer.replaceText(identifier, 'test')),
          ],
        });
      },
    };
  },
};
