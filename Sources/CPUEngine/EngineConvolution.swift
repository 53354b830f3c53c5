import CKernels
import Tensors

/// A convolution as oneDNN sees it: extents of the whole, two spatial axes, and how the tensors
/// of x's and of y's shape lie in memory.
struct EngineConvolution: Hashable {
  var form: Convolution.Form
  /// Two; a single spatial axis comes second.
  var axes: [WindowAxis]
  var groups: Int
  var batch: Int
  /// Channels of x and of y.
  var inputs: Int
  var outputs: Int
  var xArrangement = Arrangement.channelsFirst
  var yArrangement = Arrangement.channelsFirst

  init(_ op: Convolution, _ shapes: [Shape]) {
    form = op.form
    axes = op.axes
    if axes.count == 1 { axes.insert(WindowAxis(extent: 1, kernel: 1), at: 0) }
    groups = op.groups
    batch = shapes[0][0]
    switch op.form {
    case .forward: (inputs, outputs) = (shapes[0][1], shapes[1][0])
    case .data: (inputs, outputs) = (shapes[1][1] * groups, shapes[0][1])
    case .weights: (inputs, outputs) = (shapes[0][1], shapes[1][1])
    }
  }
}

extension EngineConvolution {
  /// Multiplications, padding counted.
  var work: Int {
    axes.reduce(batch * outputs * (inputs / groups)) { $0 * $1.outputs * $1.kernel }
  }

  func primitive(bias: Bool, relu: Bool, threads: Int) -> LibraryPrimitive? {
    withValue(bias: bias, relu: relu, threads) { lgc_convolution_create(&$0) }
      .map { LibraryPrimitive($0) }
  }

  func withValue<Result>(
    bias: Bool, relu: Bool, _ threads: Int, _ body: (inout lgc_convolution) -> Result
  ) -> Result {
    var c = lgc_convolution()
    c.form =
      switch form {
      case .forward: LGC_CONVOLUTION_FORWARD.rawValue
      case .data: LGC_CONVOLUTION_DATA.rawValue
      case .weights: LGC_CONVOLUTION_WEIGHTS.rawValue
      }
    c.x_arrangement = xArrangement.value.rawValue
    c.y_arrangement = yArrangement.value.rawValue
    c.bias = bias ? 1 : 0
    c.relu = relu ? 1 : 0
    c.threads = Int32(threads)
    c.batch = Int64(batch)
    c.groups = Int64(groups)
    c.inputs = Int64(inputs)
    c.outputs = Int64(outputs)
    func pair(_ value: (WindowAxis) -> Int) -> (Int64, Int64) {
      (Int64(value(axes[0])), Int64(value(axes[1])))
    }
    c.extents = pair(\.extent)
    c.results = pair(\.outputs)
    c.kernels = pair(\.kernel)
    c.strides = pair(\.stride)
    c.dilations = pair(\.dilation)
    c.low = pair(\.low)
    c.high = pair(\.high)
    return body(&c)
  }
}

/// A primitive of oneDNN, freed with its last reference.
final class LibraryPrimitive {
  let handle: OpaquePointer
  init(_ handle: OpaquePointer) { self.handle = handle }
  deinit { lgc_primitive_free(handle) }

  var implementation: String { String(cString: lgc_primitive_implementation(handle)) }
  var scratchCount: Int { (Int(lgc_primitive_scratch_bytes(handle)) + 3) / 4 }
  var weightCount: Int { (Int(lgc_convolution_weight_bytes(handle)) + 3) / 4 }
  var takesPlainWeights: Bool { lgc_convolution_plain_weights(handle) != 0 }

  func hasEqualWeights(_ other: LibraryPrimitive) -> Bool {
    lgc_convolution_equal_weights(handle, other.handle) != 0
  }
}

extension EngineNode {
  var isConvolution: Bool { if case .convolution = kind { true } else { false } }

  /// A product or a convolution, which other nodes join to be computed with.
  var isContraction: Bool {
    switch kind {
    case .dot, .convolution: true
    default: false
    }
  }

  /// Whether a bias and a rectification can be computed with the node.
  var takesTail: Bool {
    switch kind {
    case .dot: true
    case .convolution(let convolution): convolution.form == .forward
    default: false
    }
  }
}
