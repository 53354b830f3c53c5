import CKernels
import Tensors

extension lgc_operation {
  /// The word in plans and profiles.
  var name: String {
    if let known = Unary.allCases.first(where: { $0.operation == self }) { return known.rawValue }
    if let known = Binary.allCases.first(where: { $0.operation == self }) { return known.rawValue }
    return switch self {
    case LGC_COPY: "copy"
    case LGC_SELECT: "select"
    case LGC_EXCHANGE: "exchange"
    case LGC_MULTIPLY_ADD: "multiplyAdd"
    case LGC_MULTIPLY_SUBTRACT: "multiplySubtract"
    case LGC_SUBTRACT_PRODUCT: "subtractProduct"
    default: "adam"
    }
  }
}
