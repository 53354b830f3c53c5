import Rounding

/// What one node of the certified network computes.
enum StatedOperation {
  case linear(StatedOperator)
  /// One function with slopes in this range at every element.
  case elementwise(lower: Double, upper: Double)
  case known([Norm: Double])
  /// Constants that follow from stored tensors.
  case stored([Norm: StatedSteps])
  case weightedSum([Double])
  case unbounded

  init(_ fields: Fields) throws(VerificationError) {
    func constants() throws(VerificationError) -> [Norm: Double] {
      var result: [Norm: Double] = [:]
      for norm in Norm.allCases { result[norm] = try fields.field(norm.rawValue).bound() }
      return result
    }
    switch try fields.field("type").string() {
    case "elementwise":
      let slopes = try fields.field("slopes").list()
      guard slopes.count == 2 else { throw fields.fault("has not two slopes") }
      if slopes.contains(where: { if case .null = $0.json { true } else { false } }) {
        self = .unbounded
        return
      }
      self = .elementwise(lower: try slopes[0].real(), upper: try slopes[1].real())
    case "known": self = .known(try constants())
    case "stored":
      var steps: [Norm: StatedSteps] = [:]
      for norm in Norm.allCases {
        steps[norm] = try StatedSteps(try fields.field(norm.rawValue))
      }
      self = .stored(steps)
    case "weighted_sum": self = .weightedSum(try fields.field("coefficients").reals())
    case "unbounded": self = .unbounded
    default: self = .linear(try StatedOperator(fields))
    }
  }
}

/// A linear map of stored tensors or of numbers of the description.
enum StatedOperator {
  case dense(weight: String, outputs: Int, inputs: Int)
  case diagonal(weight: String, count: Int)
  case scaling(Double)
  /// Its adjoint where `isTransposed`.
  case convolution(weight: String, StatedConvolution, isTransposed: Bool)
  case separable(channels: Int, [StatedAxis])
  case normalisation(scale: String?, variance: String, epsilon: Double, channels: Int, count: Int)

  init(_ fields: Fields) throws(VerificationError) {
    let positive = 1...(1 << 31)
    func weight() throws(VerificationError) -> String { try fields.field("weight").string() }
    switch try fields.field("type").string() {
    case "dense":
      self = .dense(
        weight: try weight(), outputs: try fields.field("outputs").integer(in: positive),
        inputs: try fields.field("inputs").integer(in: positive))
    case "diagonal":
      self = .diagonal(
        weight: try weight(), count: try fields.field("count").integer(in: positive))
    case "scaling": self = .scaling(try fields.field("factor").real())
    case "convolution":
      self = .convolution(
        weight: try weight(), try StatedConvolution(fields), isTransposed: false)
    case "transposed_convolution":
      self = .convolution(weight: try weight(), try StatedConvolution(fields), isTransposed: true)
    case "separable":
      var axes: [StatedAxis] = []
      for axis in try fields.field("axes").list() { axes.append(try StatedAxis(axis)) }
      self = .separable(channels: try fields.field("channels").integer(in: positive), axes)
    case "normalisation":
      let scale = try fields.field("scale")
      var name: String?
      if case .null = scale.json {} else { name = try scale.string() }
      self = .normalisation(
        scale: name, variance: try fields.field("variance").string(),
        epsilon: try fields.field("epsilon").real(),
        channels: try fields.field("channels").integer(in: positive),
        count: try fields.field("count").integer(in: positive))
    case let other: throw fields.fault("is of the unknown type `\(other)`")
    }
    guard inputCount <= 1 << 40, outputCount <= 1 << 40 else { throw fields.fault("is too large") }
  }

  var inputCount: Int {
    switch self {
    case .dense(_, _, let inputs): inputs
    case .diagonal(_, let count): count
    case .scaling: 1
    case .convolution(_, let geometry, let isTransposed):
      isTransposed ? geometry.outputCount : geometry.inputCount
    case .separable(let channels, let axes): product([channels] + axes.map(\.inputs))
    case .normalisation(_, _, _, let channels, let count): product([channels, count])
    }
  }

  var outputCount: Int {
    switch self {
    case .dense(_, let outputs, _): outputs
    case .convolution(_, let geometry, let isTransposed):
      isTransposed ? geometry.inputCount : geometry.outputCount
    case .separable(let channels, let axes): product([channels] + axes.map(\.rows.count))
    case .diagonal, .scaling, .normalisation: inputCount
    }
  }
}

/// The product of numbers ≥ 0; Int.max where it overflows.
func product(_ factors: [Int]) -> Int {
  factors.reduce(1) { a, b in
    let (result, overflow) = a.multipliedReportingOverflow(by: b)
    return overflow ? .max : result
  }
}

/// Everything about a convolution but its weight.
struct StatedConvolution {
  enum Padding: String { case zeros, circular, reflect, replicate }

  struct Axis {
    let extent: Int
    let kernel: Int
    let stride: Int
    let dilation: Int
    let low: Int
    let high: Int
    var outputs: Int { (low + extent + high - (kernel - 1) * dilation - 1) / stride + 1 }
  }

  let inputs: Int
  let outputs: Int
  let groups: Int
  let axes: [Axis]
  let padding: Padding

  init(_ fields: Fields) throws(VerificationError) {
    let positive = 1...(1 << 20)
    inputs = try fields.field("inputs").integer(in: positive)
    outputs = try fields.field("outputs").integer(in: positive)
    groups = try fields.field("groups").integer(in: positive)
    guard let padding = Padding(rawValue: try fields.field("padding").string()) else {
      throw fields.fault("has an unknown padding")
    }
    self.padding = padding
    var axes: [Axis] = []
    for field in try fields.field("axes").list() {
      let axis = Axis(
        extent: try field.field("extent").integer(in: positive),
        kernel: try field.field("kernel").integer(in: positive),
        stride: try field.field("stride").integer(in: positive),
        dilation: try field.field("dilation").integer(in: positive),
        low: try field.field("low").integer(in: 0...(1 << 20)),
        high: try field.field("high").integer(in: 0...(1 << 20)))
      guard axis.low + axis.extent + axis.high >= (axis.kernel - 1) * axis.dilation + 1 else {
        throw field.fault("has a window that does not fit")
      }
      axes.append(axis)
    }
    guard 1...2 ~= axes.count else { throw fields.fault("has not one or two axes") }
    guard inputs % groups == 0, outputs % groups == 0 else {
      throw fields.fault("has channels that its groups do not divide")
    }
    self.axes = axes
  }

  var inputCount: Int { product([inputs] + axes.map(\.extent)) }
  var outputCount: Int { product([outputs] + axes.map(\.outputs)) }
  var weightShape: [Int] { [outputs, inputs / groups] + axes.map(\.kernel) }
}

/// A fixed sparse matrix along one axis.
struct StatedAxis {
  struct Row {
    let columns: [Int]
    let numerators: [Int]
    let divisor: Int
  }
  let inputs: Int
  let rows: [Row]

  init(_ fields: Fields) throws(VerificationError) {
    inputs = try fields.field("inputs").integer(in: 1...(1 << 20))
    var rows: [Row] = []
    for field in try fields.field("rows").list() {
      let row = Row(
        columns: try field.field("columns").integers(in: 0...inputs - 1),
        numerators: try field.field("numerators").integers(in: -(1 << 20)...(1 << 20)),
        divisor: try field.field("divisor").integer(in: 1...(1 << 30)))
      guard row.columns.count == row.numerators.count else {
        throw field.fault("has not one numerator for each column")
      }
      rows.append(row)
    }
    guard !rows.isEmpty else { throw fields.fault("has no rows") }
    self.rows = rows
  }
}
