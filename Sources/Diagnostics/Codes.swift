/// Every code lgc can emit, in one list, so that a number is never used twice.
extension DiagnosticCode {
  // 00xx YAML
  public static let yamlSyntax = DiagnosticCode(1, "yaml-syntax")
  public static let invalidUTF8 = DiagnosticCode(2, "invalid-utf8")
  public static let tabIndentation = DiagnosticCode(3, "tab-indentation")
  public static let duplicateKey = DiagnosticCode(4, "duplicate-key")
  public static let unknownAlias = DiagnosticCode(5, "unknown-alias")
  public static let tooLarge = DiagnosticCode(6, "too-large")
  public static let tooDeep = DiagnosticCode(7, "too-deep")
  public static let tooManyNodes = DiagnosticCode(8, "too-many-nodes")
  public static let emptyDocument = DiagnosticCode(9, "empty-document")
  public static let severalDocuments = DiagnosticCode(10, "several-documents")
  public static let invalidMerge = DiagnosticCode(11, "invalid-merge")
  public static let keyNotScalar = DiagnosticCode(12, "key-not-scalar")
  public static let unsupportedTag = DiagnosticCode(13, "unsupported-tag")
  public static let tooManyErrors = DiagnosticCode(14, "too-many-errors")

  // 01xx keys and types
  public static let unknownKey = DiagnosticCode(101, "unknown-key")
  public static let missingKey = DiagnosticCode(102, "missing-key")
  public static let wrongType = DiagnosticCode(103, "wrong-type")
  public static let outOfRange = DiagnosticCode(104, "out-of-range")
  public static let unknownKind = DiagnosticCode(105, "unknown-kind")
  public static let languageVersion = DiagnosticCode(107, "language-version")
  public static let duplicateName = DiagnosticCode(108, "duplicate-name")
  public static let unknownName = DiagnosticCode(109, "unknown-name")
  public static let conflictingKeys = DiagnosticCode(110, "conflicting-keys")
  public static let invalidOverride = DiagnosticCode(111, "invalid-override")
  public static let unreadLayer = DiagnosticCode(112, "unread-layer")
  public static let invalidExtends = DiagnosticCode(113, "invalid-extends")
  public static let unusedVariable = DiagnosticCode(114, "unused-variable", .warning)

  // 02xx shapes
  public static let shapeMismatch = DiagnosticCode(201, "shape-mismatch")
  public static let shapeNotPreserved = DiagnosticCode(202, "shape-not-preserved")
  public static let tensorTooLarge = DiagnosticCode(203, "tensor-too-large")

  // 03xx Lipschitz
  public static let residualSum = DiagnosticCode(301, "residual-sum", .warning)
  public static let targetRefuted = DiagnosticCode(302, "target-refuted")
  public static let unprovable = DiagnosticCode(303, "unprovable")
  public static let constraintNorm = DiagnosticCode(304, "constraint-norm")
  public static let targetNotMet = DiagnosticCode(305, "target-not-met")
  public static let noConstraint = DiagnosticCode(306, "no-constraint", .warning)
  public static let uncontrolledCritic = DiagnosticCode(307, "uncontrolled-critic", .warning)
  public static let certificateRefused = DiagnosticCode(308, "certificate-refused")

  public static let boundNotHeld = DiagnosticCode(309, "bound-not-held")
  public static let batchStatistics = DiagnosticCode(311, "batch-statistics", .warning)
  public static let overlappingWindows = DiagnosticCode(312, "overlapping-windows", .warning)
  public static let kernelNorm = DiagnosticCode(313, "kernel-norm", .warning)
  public static let randomLayer = DiagnosticCode(319, "random-layer", .warning)
  public static let expandingHead = DiagnosticCode(321, "expanding-head", .warning)
  public static let steepNormalisation = DiagnosticCode(322, "steep-normalisation", .warning)
  public static let smallSlope = DiagnosticCode(323, "small-slope", .warning)
  public static let penaltyOnly = DiagnosticCode(324, "penalty-only", .note)

  // 04xx data
  public static let dataFile = DiagnosticCode(401, "data-file")
  public static let dataFormat = DiagnosticCode(402, "data-format")
  public static let dataShape = DiagnosticCode(403, "data-shape")
  public static let dataLabels = DiagnosticCode(404, "data-labels")

  // 05xx training
  public static let diverged = DiagnosticCode(501, "diverged")
  public static let missingSection = DiagnosticCode(502, "missing-section")
  public static let badWeights = DiagnosticCode(503, "bad-weights")
  public static let tooMuchMemory = DiagnosticCode(504, "too-much-memory")

  public static let cannotResume = DiagnosticCode(505, "cannot-resume")
  public static let resumedElsewhere = DiagnosticCode(506, "resumed-elsewhere", .warning)
  public static let engineCannot = DiagnosticCode(507, "engine-cannot")

  // 06xx files
  public static let cannotRead = DiagnosticCode(601, "cannot-read")
  public static let cannotWrite = DiagnosticCode(602, "cannot-write")
  public static let badFormat = DiagnosticCode(603, "bad-format")
  public static let noRun = DiagnosticCode(604, "no-run")

  public static let badCheckpoint = DiagnosticCode(605, "bad-checkpoint", .warning)

  // 09xx lgc's own bug
  public static let internalFault = DiagnosticCode(901, "internal-fault")
}
