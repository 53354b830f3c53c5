import Diagnostics
import Rounding
import Tensors
import YAML

/// One entry of a `layers:` list after decoding and before shapes: kinds and arguments are known,
/// names are given, `activation:` has become the next entry.
indirect enum LayerItem {
  case layer(LayerEntry)
  case residual(ResidualEntry)
  case repetition(RepetitionEntry)
  case parallel(ParallelEntry)
  /// Already reported; no shapes are inferred past it.
  case invalid
}

/// Names of layers as written: `from:`, `outputs:`.
struct NameList {
  var names: [(name: String, span: Span)]
  /// Whether a list was written.
  var isList: Bool
  var span: Span
}

struct LayerEntry {
  /// The name inside its own list.
  var name: String
  /// nil: what stands before it.
  var from: NameList?
  var kind: String
  var type: any Layer.Type
  var layer: any Layer
  var arguments: Arguments
  var lipschitz: LipschitzSetting?
  var constraint: ConstraintSetting?
  var residual: ResidualSetting?
  var span: Span
  var kindSpan: Span
}

/// `residual: {layers: …}` as an entry of its own.
struct ResidualEntry {
  var name: String
  var from: NameList?
  var defaults: LayerDefaults
  var setting: ResidualSetting
  var body: [LayerItem]
  /// nil: the identity.
  var shortcut: [LayerItem]?
  var span: Span
  var kindSpan: Span
}

/// `parallel:`: branches that read the same value.
struct ParallelEntry {
  enum Combination: String, Sendable, CaseIterable, ArgumentValue {
    case sum, mean, concat, weighted
  }
  var name: String
  var from: NameList?
  var defaults: LayerDefaults
  var residual: ResidualSetting?
  var branches: [[LayerItem]]
  var combination: Combination
  /// One number a branch where `combination` is `weighted`.
  var weights: [Double]
  /// Of `concat`.
  var axis: Int
  var arguments: Arguments
  var span: Span
  var kindSpan: Span
}

struct RepetitionEntry {
  var name: String
  var from: NameList?
  var defaults: LayerDefaults
  var residual: ResidualSetting?
  var times: Int
  /// Whether all rounds use the weights of the first.
  var isShared: Bool
  var body: [LayerItem]
  var span: Span
  var kindSpan: Span
}

extension LayerItem {
  /// nil for what was already reported.
  var name: String? {
    switch self {
    case .layer(let entry): entry.name
    case .residual(let entry): entry.name
    case .repetition(let entry): entry.name
    case .parallel(let entry): entry.name
    case .invalid: nil
    }
  }
}

/// `lipschitz` and `constraint` for the layers of a network or of a block, where nothing nearer to
/// the layer says otherwise; nil: what stands further out.
struct LayerDefaults {
  var lipschitz: LipschitzSetting?
  var constraint: ConstraintSetting?

  /// The place of the first that is given.
  var span: Span? { lipschitz?.span ?? constraint?.span }

  /// These, completed by those further out. A bound without a norm takes that of
  /// the next bound outside; `unconstrained` also leaves the constraint from there.
  func within(_ outer: LayerDefaults) -> LayerDefaults {
    var (bound, inherited) = (lipschitz ?? outer.lipschitz, outer.constraint)
    switch lipschitz {
    case .unconstrained: inherited = nil
    case .bound(let number, nil, let boundSpan, let span):
      bound = .bound(number, norm: outer.lipschitz?.norm, boundSpan: boundSpan, span: span)
    case .bound, nil: break
    }
    return LayerDefaults(lipschitz: bound, constraint: constraint ?? inherited)
  }
}

/// How a block's input joins its output.
struct ResidualSetting {
  var mode: ResidualBlock.Mode
  var weight: Double
  var span: Span
}

/// `lipschitz:` of the network or of one layer.
enum LipschitzSetting {
  case unconstrained(Span)
  /// norm nil: the network's, else l2.
  case bound(Double, norm: Norm?, boundSpan: Span, span: Span)

  var span: Span {
    switch self {
    case .unconstrained(let span): span
    case .bound(_, _, _, let span): span
    }
  }
  var norm: Norm? { if case .bound(_, let norm, _, _) = self { norm } else { nil } }
}

/// `constraint:` of the network or of one layer; `constraint` is nil for `none`.
struct ConstraintSetting {
  var kind: String
  var type: (any Constraint.Type)?
  var constraint: (any Constraint)?
  var arguments: Arguments?
  var span: Span
}

/// `model:`, or one of `models:`, after decoding.
struct ModelSection {
  var input: Shape
  /// Of a generator; the planes of the classes are part of `input`.
  var noise: Noise?
  var classes: Int?
  var lipschitz: LipschitzSetting?
  var constraint: ConstraintSetting?
  var layers: [LayerItem]
  /// nil: the last layer's value.
  var outputs: NameList?
  /// The entries `regularize` and `optimizer` of a network of `models:`.
  var regularisers: Entry?
  var optimizer: Entry?
  var span: Span
}
