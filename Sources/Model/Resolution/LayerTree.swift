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
  /// Already reported; no shapes are inferred past it.
  case invalid
}

struct LayerEntry {
  /// The name inside its own list.
  var name: String
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
  var setting: ResidualSetting
  var body: [LayerItem]
  /// nil: the identity.
  var shortcut: [LayerItem]?
  var span: Span
  var kindSpan: Span
}

struct RepetitionEntry {
  var name: String
  var times: Int
  var body: [LayerItem]
  var span: Span
  var kindSpan: Span
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
  var noise: Noise?
  var lipschitz: LipschitzSetting?
  var constraint: ConstraintSetting?
  var layers: [LayerItem]
  /// The entries `regularize` and `optimizer` of a network of `models:`.
  var regularisers: Entry?
  var optimizer: Entry?
  var span: Span
}
