import Constraints
import Model
import ReferenceEngine
import Tensors
import Testing

private func document(
  _ layer: String, input: Shape, constraint: String, bound: Double = 1
) -> String {
  layerDocument(
    layer, input: input,
    settings: "  lipschitz: \(bound)\n  constraint: {\(constraint)}\n")
}

/// The weights as the constraint makes them after `steps` steps of power iteration.
private func constrained(_ network: Network, steps: Int) throws -> [String: [Double]] {
  let deploy = Lowering.deployedWeights(network: network)
  let warmup = Lowering.constraintWarmup(network: network, iterations: 1)
  let executable = try ReferenceEngine().executable([deploy] + (warmup.map { [$0] } ?? []))
  for (name, shape) in executable.states {
    let values = normals(shape, seed: Philox.hash(of: name))
    try executable.writeState(
      name, name.hasSuffix("running_var") ? values.map { abs($0) + 0.05 } : values)
  }
  if warmup != nil { for _ in 0..<steps { try executable.run("warmup") } }
  try executable.run("deploy")
  var result: [String: [Double]] = [:]
  for output in deploy.outputs {
    result[output.name] = try executable.readOutput(output.name, of: "deploy") as [Double]
  }
  for name in executable.states.keys where name.hasSuffix("running_var") {
    result[name] = try executable.readState(name) as [Double]
  }
  return result
}

/// ‖A‖₂ by 3000 power iterations on AᵀA.
func largestSingularValue(_ a: [Double], _ rows: Int, _ columns: Int) -> Double {
  var v = (0..<columns).map { 1 + 0.01 * Double($0 % 7) }
  var sigma = 0.0
  for _ in 0..<3000 {
    let u = (0..<rows).map { i in (0..<columns).reduce(0) { $0 + a[i * columns + $1] * v[$1] } }
    let w = (0..<columns).map { j in (0..<rows).reduce(0) { $0 + a[$1 * columns + j] * u[$1] } }
    let size = w.reduce(0) { $0 + $1 * $1 }.squareRoot()
    if size == 0 { return 0 }
    let length = v.reduce(0) { $0 + $1 * $1 }.squareRoot()
    sigma = (size / length).squareRoot()
    v = w.map { $0 / size }
  }
  return sigma
}

private let layers: [(String, Shape)] = [
  ("conv: {filters: 3, kernel: 3, stride: 2, padding: 1}", [2, 5, 4]),
  ("conv: {filters: 2, kernel: 3, padding: 1, padding_mode: circular}", [2, 4, 3]),
  ("conv: {filters: 2, kernel: 3, padding: [[2, 1]], padding_mode: reflect}", [3, 6]),
  ("conv: {filters: 4, kernel: 2, padding: 1, padding_mode: replicate, groups: 2}", [2, 3, 4]),
  ("conv_transpose: {filters: 2, kernel: 3, stride: 2, output_padding: 1}", [3, 3, 2]),
]

@Suite struct SpectralConvolutionTests {
  /// W̄'s linear map, written out as a matrix, has the declared norm.
  @Test(arguments: layers.indices)
  func theOperatorConstraintHoldsTheOperator(_ index: Int) throws {
    let (layer, input) = layers[index]
    let network = try network(
      document(layer, input: input, constraint: "type: spectral", bound: 0.5))
    let node = network.nodes[0]
    guard case .linear(let linear) = node.operation else { fatalError("convolutions are linear") }
    let weights = try constrained(network, steps: 2000)
    let matrix = operatorMatrix(linear) { weights[node.tensorName($0)]! }
    let norm = largestSingularValue(matrix, linear.outputCount, linear.inputCount)
    // σ̂ comes from below, slowly where singular values lie close together.
    #expect(norm > 0.5 - 1e-9 && norm < 0.501)
  }

  /// `of: kernel` holds the matrix, and the convolution within the factor that `check` states.
  @Test(arguments: layers.indices)
  func theKernelConstraintHoldsTheKernelAndItsWarningTheRest(_ index: Int) throws {
    let (layer, input) = layers[index]
    let network = try network(
      document(layer, input: input, constraint: "type: spectral, of: kernel"))
    let node = network.nodes[0]
    guard case .linear(let linear) = node.operation else { fatalError("convolutions are linear") }
    let weights = try constrained(network, steps: 2000)
    let weight = node.weights[0]
    let kernel = weights[node.tensorName("weight")]!
    let rows = weight.shape[0]
    #expect(abs(largestSingularValue(kernel, rows, kernel.count / rows) - 1) < 1e-6)
    let matrix = operatorMatrix(linear) { weights[node.tensorName($0)]! }
    let norm = largestSingularValue(matrix, linear.outputCount, linear.inputCount)
    let cover = switch linear {
    case .convolution(_, let geometry), .transposedConvolution(_, let geometry):
      geometry.largestCover
    default: 1
    }
    #expect(norm <= Double(cover).squareRoot() * (1 + 1e-6))
    let cautions = node.constraint!.unit.cautions(name: "x", linear)
    #expect(cautions.map(\.code) == (cover > 1 ? [.kernelNorm] : []))
  }

  /// A kernel of ones with circular padding reaches √m: the stated factor is not only a bound.
  @Test func theStatedFactorIsReached() throws {
    let network = try network(
      document(
        "conv: {filters: 1, kernel: 3, padding: 1, padding_mode: circular}", input: [1, 5, 5],
        constraint: "type: spectral, of: kernel"))
    guard case .linear(let linear) = network.nodes[0].operation,
      case .convolution(_, let geometry) = linear
    else { fatalError("a convolution") }
    #expect(geometry.largestCover == 9)
    let matrix = operatorMatrix(linear) { _ in [Double](repeating: 1 / 3.0, count: 9) }
    #expect(abs(largestSingularValue(matrix, 25, 25) - 3) < 1e-9)
  }

  /// From ones nothing is kept; with enough iterations it is the same norm.
  @Test func aStartFromOnesKeepsNoState() throws {
    let text = document(
      "conv: {filters: 2, kernel: 3, padding: 1, bias: false}", input: [1, 4, 4],
      constraint: "type: spectral, init: ones, iterations: 100")
    let network = try network(text)
    let node = network.nodes[0]
    guard case .linear(let linear) = node.operation else { fatalError("convolutions are linear") }
    let constraint = node.constraint!.unit
    #expect(constraint.state(node.weights[0].shape, of: linear, norm: .l2).isEmpty)
    #expect(Lowering.constraintWarmup(network: network, iterations: 1) == nil)
    let weights = try constrained(network, steps: 0)
    let matrix = operatorMatrix(linear) { weights[node.tensorName($0)]! }
    let norm = largestSingularValue(matrix, linear.outputCount, linear.inputCount)
    #expect(norm > 1 - 1e-9 && norm < 1.01)
  }

  @Test func batchNormIsHeldByItsRunningVariance() throws {
    let network = try network(
      document(
        "batch_norm: {eps: 1e-3}", input: [6, 2, 2], constraint: "type: spectral", bound: 0.7))
    let values = try constrained(network, steps: 0)
    let (scale, variance) =
      (values["batch_norm_1.weight"]!, values["batch_norm_1.running_var"]!)
    let factors = zip(scale, variance).map { abs($0) / ($1 + 1e-3).squareRoot() }
    #expect(abs(factors.max()! - 0.7) < 1e-12)
  }
}
