//! Why a call failed, as one of a few codes. OpenMLS has some fifty error types; what a caller may have to tell apart is
//! decided here and nowhere else.

use std::fmt::Debug;

use openmls::framing::errors::{MessageDecryptionError, SecretTreeError};
use openmls::group::*;
use openmls::messages::group_info::GroupInfoError;
use openmls::messages::GroupSecretsError;
use openmls::prelude::{
    ApplyUpdatePathError, CreationFromExternalError, ExtensionTypeNotValidInKeyPackageError, KeyPackageNewError,
    KeyPackageVerifyError, LibraryError, PublicTreeError,
};
use openmls::treesync::errors::{
    LeafNodeValidationError, LifetimeError, TreeSyncAddLeaf, TreeSyncFromNodesError, UpdatePathError,
};

use crate::vault::VaultError;

/// What went wrong. `as_str` is what JavaScript sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Not MLS, or MLS that contradicts itself.
    Malformed,
    /// MLS, but of another kind than the call takes.
    WrongType,
    /// Another cipher suite than that of the client or group, or demands that we do not meet.
    UnsupportedSuite,
    /// A signature, or a MAC that stands for one, does not hold.
    BadSignature,
    LifetimeNotYet,
    LifetimeExpired,
    /// The welcome is for a key package that we do not have (any more).
    NoKeyPackage,
    /// A welcome or commit does not fit the tree, or its secrets do not lead to the epoch that it says.
    TreeMismatch,
    WrongGroup,
    WrongEpochPast,
    WrongEpochFuture,
    UnknownSender,
    /// No such member to remove, or ourselves.
    UnknownMember,
    Replay,
    TooFarAhead,
    TooFarBehind,
    Aead,
    OwnMessage,
    DuplicateMember,
    PendingCommit,
    NoPendingCommit,
    Inactive,
    /// The client has no credential yet.
    NoCredential,
    Internal,
}

impl Code {
    pub fn as_str(self) -> &'static str {
        match self {
            Code::Malformed => "malformed",
            Code::WrongType => "wrong-type",
            Code::UnsupportedSuite => "unsupported-suite",
            Code::BadSignature => "bad-signature",
            Code::LifetimeNotYet => "lifetime-not-yet",
            Code::LifetimeExpired => "lifetime-expired",
            Code::NoKeyPackage => "no-key-package",
            Code::TreeMismatch => "tree-mismatch",
            Code::WrongGroup => "wrong-group",
            Code::WrongEpochPast => "wrong-epoch-past",
            Code::WrongEpochFuture => "wrong-epoch-future",
            Code::UnknownSender => "unknown-sender",
            Code::UnknownMember => "unknown-member",
            Code::Replay => "replay",
            Code::TooFarAhead => "too-far-ahead",
            Code::TooFarBehind => "too-far-behind",
            Code::Aead => "aead",
            Code::OwnMessage => "own-message",
            Code::DuplicateMember => "duplicate-member",
            Code::PendingCommit => "pending-commit",
            Code::NoPendingCommit => "no-pending-commit",
            Code::Inactive => "inactive",
            Code::NoCredential => "no-credential",
            Code::Internal => "internal",
        }
    }
}

/// A code and, for people who look for a bug, what OpenMLS said. No secrets, no texts of a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub code: Code,
    pub detail: String,
    /// Unix seconds when the lifetime of a key package begins or ended.
    pub lifetime: Option<u64>,
}

pub type Outcome<T> = Result<T, Failure>;

impl Failure {
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Failure { code, detail: detail.into(), lifetime: None }
    }

    fn of(code: Code, error: &impl Debug) -> Self {
        Failure::new(code, format!("{error:?}"))
    }
}

impl From<Code> for Failure {
    fn from(code: Code) -> Self {
        Failure::new(code, "")
    }
}

impl From<LibraryError> for Failure {
    fn from(error: LibraryError) -> Self {
        Failure::of(Code::Internal, &error)
    }
}

impl From<VaultError> for Failure {
    fn from(error: VaultError) -> Self {
        Failure::of(Code::Internal, &error)
    }
}

impl From<LifetimeError> for Failure {
    fn from(error: LifetimeError) -> Self {
        let (code, lifetime) = match error {
            LifetimeError::NotValidYet { not_before, .. } => (Code::LifetimeNotYet, Some(not_before)),
            LifetimeError::Expired { not_after, .. } => (Code::LifetimeExpired, Some(not_after)),
            LifetimeError::SystemTimeBeforeUnixEpoch => (Code::Internal, None),
        };
        Failure { lifetime, ..Failure::of(code, &error) }
    }
}

impl From<KeyPackageVerifyError> for Failure {
    fn from(error: KeyPackageVerifyError) -> Self {
        match error {
            KeyPackageVerifyError::LibraryError(error) => error.into(),
            KeyPackageVerifyError::LifetimeError(error) => error.into(),
            KeyPackageVerifyError::InvalidSignature | KeyPackageVerifyError::InvalidLeafNodeSignature => {
                Failure::of(Code::BadSignature, &error)
            }
            KeyPackageVerifyError::InvalidProtocolVersion => Failure::of(Code::UnsupportedSuite, &error),
            KeyPackageVerifyError::MissingLifetime
            | KeyPackageVerifyError::UnsupportedExtension
            | KeyPackageVerifyError::InvalidLeafNodeSourceType
            | KeyPackageVerifyError::InitKeyEqualsEncryptionKey
            | KeyPackageVerifyError::ExtensionTypeNotValidInKeyPackage(ExtensionTypeNotValidInKeyPackageError(_)) => {
                Failure::of(Code::Malformed, &error)
            }
        }
    }
}

impl From<KeyPackageNewError> for Failure {
    fn from(error: KeyPackageNewError) -> Self {
        Failure::of(Code::Internal, &error)
    }
}

impl From<NewGroupError<VaultError>> for Failure {
    fn from(error: NewGroupError<VaultError>) -> Self {
        Failure::of(Code::Internal, &error)
    }
}

impl From<LeafNodeValidationError> for Failure {
    fn from(error: LeafNodeValidationError) -> Self {
        match error {
            LeafNodeValidationError::Lifetime(error) => error.into(),
            LeafNodeValidationError::SignatureKeyAlreadyInUse | LeafNodeValidationError::EncryptionKeyAlreadyInUse => {
                Failure::of(Code::DuplicateMember, &error)
            }
            LeafNodeValidationError::UnsupportedExtensions
            | LeafNodeValidationError::UnsupportedProposals
            | LeafNodeValidationError::UnsupportedCredentials
            | LeafNodeValidationError::CiphersuiteNotInCapabilities
            | LeafNodeValidationError::LeafNodeCredentialNotSupportedByMember
            | LeafNodeValidationError::MemberCredentialNotSupportedByLeafNode => {
                Failure::of(Code::UnsupportedSuite, &error)
            }
            LeafNodeValidationError::CredentialNotInCapabilities
            | LeafNodeValidationError::ExtensionsNotInCapabilities
            | LeafNodeValidationError::InvalidLeafNodeSource => Failure::of(Code::Malformed, &error),
        }
    }
}

impl From<ProposalValidationError> for Failure {
    fn from(error: ProposalValidationError) -> Self {
        match error {
            ProposalValidationError::LibraryError(error) => error.into(),
            ProposalValidationError::LeafNodeValidation(error) => error.into(),
            ProposalValidationError::DuplicateSignatureKey
            | ProposalValidationError::DuplicateEncryptionKey
            | ProposalValidationError::DuplicateInitKey => Failure::of(Code::DuplicateMember, &error),
            ProposalValidationError::UnknownMember
            | ProposalValidationError::UnknownMemberRemoval
            | ProposalValidationError::UpdateFromNonMember => Failure::of(Code::UnknownMember, &error),
            ProposalValidationError::InsufficientCapabilities
            | ProposalValidationError::InvalidAddProposalCiphersuiteOrVersion
            | ProposalValidationError::UnsupportedProposalType => Failure::of(Code::UnsupportedSuite, &error),
            ProposalValidationError::InitEncryptionKeyCollision
            | ProposalValidationError::DuplicateMemberRemoval
            | ProposalValidationError::CommitterIncludedOwnUpdate
            | ProposalValidationError::Psk(_)
            | ProposalValidationError::ExternalInitProposalInRegularCommit => Failure::of(Code::Malformed, &error),
        }
    }
}

impl From<CreateCommitError> for Failure {
    fn from(error: CreateCommitError) -> Self {
        match error {
            CreateCommitError::ProposalValidationError(error) => error.into(),
            CreateCommitError::LeafNodeValidation(error) => error.into(),
            CreateCommitError::CannotRemoveSelf => Failure::of(Code::UnknownMember, &error),
            CreateCommitError::TreeSyncAddLeaf(TreeSyncAddLeaf::TreeFull) => Failure::of(Code::TreeMismatch, &error),
            // The rest are proposals that we never make.
            _ => Failure::of(Code::Internal, &error),
        }
    }
}

impl From<CommitBuilderStageError<VaultError>> for Failure {
    fn from(error: CommitBuilderStageError<VaultError>) -> Self {
        match error {
            CommitBuilderStageError::LibraryError(error) => error.into(),
            CommitBuilderStageError::KeyStoreError(error) => error.into(),
        }
    }
}

impl From<MergeCommitError<VaultError>> for Failure {
    fn from(error: MergeCommitError<VaultError>) -> Self {
        match error {
            MergeCommitError::LibraryError(error) => error.into(),
            MergeCommitError::StorageError(error) => error.into(),
        }
    }
}

impl From<MergePendingCommitError<VaultError>> for Failure {
    fn from(error: MergePendingCommitError<VaultError>) -> Self {
        match error {
            MergePendingCommitError::MlsGroupStateError(error) => error.into(),
            MergePendingCommitError::MergeCommitError(error) => error.into(),
        }
    }
}

impl From<MlsGroupStateError> for Failure {
    fn from(error: MlsGroupStateError) -> Self {
        match error {
            MlsGroupStateError::LibraryError(error) => error.into(),
            MlsGroupStateError::UseAfterEviction => Code::Inactive.into(),
            MlsGroupStateError::PendingCommit => Code::PendingCommit.into(),
            MlsGroupStateError::NoPendingCommit => Code::NoPendingCommit.into(),
            // Proposals are never stored.
            MlsGroupStateError::PendingProposal | MlsGroupStateError::PendingProposalNotFound => {
                Failure::of(Code::Internal, &error)
            }
        }
    }
}

impl From<CreateMessageError> for Failure {
    fn from(error: CreateMessageError) -> Self {
        match error {
            CreateMessageError::LibraryError(error) => error.into(),
            CreateMessageError::GroupStateError(error) => error.into(),
        }
    }
}

impl From<ExportSecretError> for Failure {
    fn from(error: ExportSecretError) -> Self {
        match error {
            ExportSecretError::LibraryError(error) => error.into(),
            ExportSecretError::GroupStateError(error) => error.into(),
            ExportSecretError::KeyLengthTooLong => Failure::of(Code::Malformed, &error),
        }
    }
}

impl From<SecretTreeError> for Failure {
    fn from(error: SecretTreeError) -> Self {
        let code = match error {
            SecretTreeError::SecretReuseError => Code::Replay,
            SecretTreeError::TooDistantInTheFuture => Code::TooFarAhead,
            // IndexOutOfBounds: older than the skipped keys that are kept. For a sender that is not in the tree it is the
            // same, which cannot come here: a stranger fails before.
            SecretTreeError::TooDistantInThePast | SecretTreeError::IndexOutOfBounds => Code::TooFarBehind,
            SecretTreeError::RatchetTypeError => Code::OwnMessage,
            SecretTreeError::CryptoError(_) => Code::Aead,
            SecretTreeError::CodecError(_) => Code::Malformed,
            SecretTreeError::RatchetTooLong | SecretTreeError::LibraryError => Code::Internal,
        };
        Failure::of(code, &error)
    }
}

impl From<MessageDecryptionError> for Failure {
    fn from(error: MessageDecryptionError) -> Self {
        match error {
            MessageDecryptionError::LibraryError(error) => error.into(),
            MessageDecryptionError::SecretTreeError(error) => error.into(),
            MessageDecryptionError::AeadError => Failure::of(Code::Aead, &error),
            MessageDecryptionError::GenerationOutOfBound => Failure::of(Code::TooFarBehind, &error),
            MessageDecryptionError::WrongWireFormat => Failure::of(Code::WrongType, &error),
            MessageDecryptionError::MalformedContent => Failure::of(Code::Malformed, &error),
        }
    }
}

impl From<ValidationError> for Failure {
    fn from(error: ValidationError) -> Self {
        match error {
            ValidationError::LibraryError(error) => error.into(),
            ValidationError::UnableToDecrypt(error) => error.into(),
            ValidationError::KeyPackageVerifyError(error) => error.into(),
            ValidationError::UpdatePathError(error) => error.into(),
            ValidationError::WrongGroupId => Failure::of(Code::WrongGroup, &error),
            // Which side of ours it is on is checked before OpenMLS sees the message.
            ValidationError::WrongEpoch | ValidationError::NoPastEpochData => Failure::of(Code::WrongEpochPast, &error),
            ValidationError::UnknownMember | ValidationError::UnauthorizedExternalSender => {
                Failure::of(Code::UnknownSender, &error)
            }
            ValidationError::MissingMembershipTag
            | ValidationError::InvalidMembershipTag
            | ValidationError::InvalidSignature
            | ValidationError::InvalidLeafNodeSignature => Failure::of(Code::BadSignature, &error),
            ValidationError::UnencryptedApplicationMessage
            | ValidationError::NotACommit
            | ValidationError::NotAnExternalAddProposal
            | ValidationError::WrongWireFormat
            | ValidationError::NonMemberApplicationMessage
            | ValidationError::InvalidSenderType
            | ValidationError::NoExternalSendersExtension
            | ValidationError::ExternalCommitValidation(_) => Failure::of(Code::WrongType, &error),
            ValidationError::InvalidAddProposalCiphersuite => Failure::of(Code::UnsupportedSuite, &error),
            ValidationError::NoPath
            | ValidationError::MissingConfirmationTag
            | ValidationError::InvalidLeafNodeSourceType
            | ValidationError::CommitterIncludedOwnUpdate
            | ValidationError::InvalidExtension(_) => Failure::of(Code::Malformed, &error),
        }
    }
}

impl From<UpdatePathError> for Failure {
    fn from(error: UpdatePathError) -> Self {
        let code = match error {
            UpdatePathError::InvalidType => Code::Malformed,
            UpdatePathError::SignatureError(_) => Code::BadSignature,
        };
        Failure::of(code, &error)
    }
}

impl From<StageCommitError> for Failure {
    fn from(error: StageCommitError) -> Self {
        match error {
            StageCommitError::LibraryError(error)
            | StageCommitError::UpdatePathError(ApplyUpdatePathError::LibraryError(error)) => error.into(),
            StageCommitError::ProposalValidationError(error) => error.into(),
            StageCommitError::LeafNodeValidation(error) => error.into(),
            StageCommitError::VerifiedUpdatePathError(error) => error.into(),
            StageCommitError::OwnCommitMismatch => Failure::of(Code::OwnMessage, &error),
            StageCommitError::PathLeafNodeVerificationFailure => Failure::of(Code::BadSignature, &error),
            StageCommitError::WrongPlaintextContentType
            | StageCommitError::SenderTypeExternal
            | StageCommitError::SenderTypeNewMemberProposal
            | StageCommitError::MissingProposal
            | StageCommitError::PskError(_)
            | StageCommitError::ExternalCommitValidation(_)
            | StageCommitError::GroupContextExtensionsProposalValidationError(_)
            | StageCommitError::DuplicatePskId(_) => Failure::of(Code::WrongType, &error),
            StageCommitError::EpochMismatch => Failure::of(Code::WrongEpochPast, &error),
            StageCommitError::ConfirmationTagMissing
            | StageCommitError::RequiredPathNotFound
            | StageCommitError::AttemptedSelfRemoval
            | StageCommitError::InconsistentSenderIndex => Failure::of(Code::Malformed, &error),
            StageCommitError::ConfirmationTagMismatch
            | StageCommitError::UpdatePathError(_)
            | StageCommitError::OwnKeyNotFound
            | StageCommitError::MissingDecryptionKey
            | StageCommitError::TooManyNewMembers => Failure::of(Code::TreeMismatch, &error),
        }
    }
}

impl From<ProcessMessageError<VaultError>> for Failure {
    fn from(error: ProcessMessageError<VaultError>) -> Self {
        match error {
            ProcessMessageError::LibraryError(error) => error.into(),
            ProcessMessageError::StorageError(error) => error.into(),
            ProcessMessageError::ValidationError(error) => error.into(),
            ProcessMessageError::GroupStateError(error) => error.into(),
            ProcessMessageError::InvalidCommit(error) => error.into(),
            ProcessMessageError::IncompatibleWireFormat
            | ProcessMessageError::UnauthorizedExternalApplicationMessage
            | ProcessMessageError::UnauthorizedExternalCommitMessage
            | ProcessMessageError::UnsupportedProposalType => Failure::of(Code::WrongType, &error),
        }
    }
}

impl From<CreationFromExternalError<VaultError>> for Failure {
    fn from(error: CreationFromExternalError<VaultError>) -> Self {
        match error {
            CreationFromExternalError::LibraryError(error)
            | CreationFromExternalError::TreeSyncError(TreeSyncFromNodesError::LibraryError(error)) => error.into(),
            CreationFromExternalError::LeafNodeValidation(error) => error.into(),
            CreationFromExternalError::WriteToStorageError(error) => error.into(),
            CreationFromExternalError::UnknownSender => Failure::of(Code::UnknownSender, &error),
            CreationFromExternalError::InvalidGroupInfoSignature => Failure::of(Code::BadSignature, &error),
            CreationFromExternalError::UnsupportedMlsVersion | CreationFromExternalError::UnsupportedCiphersuite(_) => {
                Failure::of(Code::UnsupportedSuite, &error)
            }
            CreationFromExternalError::TreeSyncError(_)
            | CreationFromExternalError::TreeHashMismatch
            | CreationFromExternalError::UnmergedLeafNotADescendant
            | CreationFromExternalError::IntermediateNodeMissingUnmergedLeaf
            | CreationFromExternalError::DuplicateEncryptionKey
            | CreationFromExternalError::DuplicateSignatureKey => Failure::of(Code::TreeMismatch, &error),
        }
    }
}

impl From<WelcomeError<VaultError>> for Failure {
    fn from(error: WelcomeError<VaultError>) -> Self {
        match error {
            WelcomeError::LibraryError(error) | WelcomeError::PublicTreeError(PublicTreeError::LibraryError(error)) => {
                error.into()
            }
            WelcomeError::StorageError(error) => error.into(),
            WelcomeError::PublicGroupError(error) => error.into(),
            WelcomeError::LeafNodeValidation(error) => error.into(),
            WelcomeError::NoMatchingKeyPackage
            | WelcomeError::JoinerSecretNotFound
            | WelcomeError::PrivateInitKeyNotFound
            | WelcomeError::NoMatchingEncryptionKey => Failure::of(Code::NoKeyPackage, &error),
            WelcomeError::CiphersuiteMismatch
            | WelcomeError::UnsupportedMlsVersion
            | WelcomeError::UnsupportedCapability
            | WelcomeError::UnsupportedCiphersuite(_)
            | WelcomeError::UnsupportedExtensions
            | WelcomeError::Psk(_) => Failure::of(Code::UnsupportedSuite, &error),
            WelcomeError::GroupSecrets(GroupSecretsError::DecryptionFailed)
            | WelcomeError::GroupInfo(GroupInfoError::DecryptionFailed)
            | WelcomeError::UnableToDecrypt => Failure::of(Code::Aead, &error),
            WelcomeError::GroupSecrets(GroupSecretsError::Malformed)
            | WelcomeError::GroupInfo(GroupInfoError::Malformed)
            | WelcomeError::MalformedWelcomeMessage => Failure::of(Code::Malformed, &error),
            WelcomeError::NotAWelcomeMessage => Failure::of(Code::WrongType, &error),
            WelcomeError::InvalidGroupInfoSignature => Failure::of(Code::BadSignature, &error),
            WelcomeError::UnknownSender => Failure::of(Code::UnknownSender, &error),
            WelcomeError::MissingRatchetTree
            | WelcomeError::ConfirmationTagMismatch
            | WelcomeError::PublicTreeError(_) => Failure::of(Code::TreeMismatch, &error),
            WelcomeError::GroupAlreadyExists | WelcomeError::KeySchedule(_) => Failure::of(Code::Internal, &error),
        }
    }
}
