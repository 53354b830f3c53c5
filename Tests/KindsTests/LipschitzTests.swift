import Glibc
import Layers
import Model
import Rounding
import Tensors
import TensorsTestSupport
import Testing

/// The declared constants against pairs of points: never exceeded, and nearly reached.
@Suite struct LipschitzTests {
  /// Pairs a layer, shared by its examples: 34 000, and as many as LGC_PAIRS says (`make soundness`).
  static let pairCount =
    getenv("LGC_PAIRS").flatMap { Int(String(cString: $0)) } ?? 34_000

  /// Each pair in three norms, at random and around the steepest ones, then pairs along gradients.
  @Test(arguments: layerTrials.filter { $0.code == nil })
  func noPairOfPointsExceedsTheDeclaredConstant(_ trial: Trial) throws {
    let network = try network(trial.text)
    let node = network.nodes[0]
    if case .unbounded = node.operation { return }
    let run = try LayerRun(network, batch: 1, mode: .deployed)
    let constants = try Norm.allCases.map { norm in
      // A value that is read several times moves with all its copies.
      let copies = [Double](repeating: 1, count: node.inputs.count)
      return try constant(of: node, norm, run) * norm.length(copies)
    }
    let examples = layerTrials.count { $0.kind == trial.kind && $0.code == nil }
    var search = try PairSearch(
      Lowering.forward(network: network, batch: 256, mode: .deployed), state: run.state,
      constants: constants, seed: 5)
    try search.run(pairs: (Self.pairCount + examples - 1) / examples)
    for (index, norm) in Norm.allCases.enumerated() {
      let constant = constants[index]
      #expect(search.excess[index] == 0, "\(norm)")
      var (largest, excess) = (search.largest[index], 0.0)
      for (a, b) in try pairs(network, run, norm) {
        let length = norm.length(zip(a, b).map { $0 - $1 })
        if length == 0 { continue }
        let (fa, fb) = (try run.output(a), try run.output(b))
        let image = norm.length(zip(fa, fb).map { $0 - $1 })
        // The difference of two rounded images is off by the rounding of the images themselves.
        let size = norm.length(a) * constant + norm.length(b) * constant
        let rounding = 1e-14 * (size + norm.length(fa) + norm.length(fb))
        excess = max(excess, image - constant * length - rounding)
        if length > 1e-6 * norm.length(a) { largest = max(largest, image / length) }
      }
      #expect(excess == 0, "\(norm)")
      if node.layer.isTight(node.inputShapes, norm: norm) {
        #expect(largest >= 0.99 * constant, "\(norm): \(largest) of \(constant)")
      }
    }
  }

  /// The operator that the proofs are about, written out from its definition, is what the layer
  /// computes: f(x) − f(0) = A·x for every unit vector.
  @Test(arguments: layerTrials.filter { $0.code == nil })
  func theOperatorStatedIsTheOneExecuted(_ trial: Trial) throws {
    let network = try network(trial.text)
    let node = network.nodes[0]
    guard case .linear(let linear) = node.operation else { return }
    let run = try LayerRun(network, batch: 1, mode: .deployed)
    let (rows, columns) =
      (network.outputShape.elementCount, network.inputShape.elementCount)
    switch linear {
    // These fit any input.
    case .scaling, .diagonal: break
    default: #expect(linear.outputCount == rows && linear.inputCount == columns)
    }
    let matrix = operatorMatrix(linear, inputs: columns) { run.state[node.tensorName($0)]! }
    let origin = try run.output([Double](repeating: 0, count: columns))
    for column in 0..<columns {
      let unit = (0..<columns).map { $0 == column ? 1.0 : 0 }
      let image = zip(try run.output(unit), origin).map { $0 - $1 }
      let expected = (0..<rows).map { matrix[$0 * columns + column] }
      #expect(distance(expected, image) < 1e-13, "column \(column)")
    }
  }

  /// Random pairs near and far, along one axis, along signs, mirrored at 0, and pairs that follow
  /// the steepest direction of ‖f(b) − f(a)‖.
  private func pairs(
    _ network: Network, _ run: LayerRun, _ norm: Norm
  ) throws -> [([Double], [Double])] {
    let shape = network.inputShape
    var result: [([Double], [Double])] = []
    // Where an activation is steepest at one number, and flat at large ones.
    for level in stride(from: -4.05, to: 4, by: 0.1) {
      let a = [Double](repeating: level, count: shape.elementCount)
      result.append((a, a.map { $0 + 1e-3 }))
    }
    for trial in 0..<9 {
      let scale = [1e-3, 1, 30, 1000][trial % 4]
      // The last at 0, where a normalisation is steepest.
      let a = normals(shape, seed: UInt64(1000 + trial)).map { trial == 8 ? 0 : $0 * scale }
      let direction = normals(shape, seed: UInt64(2000 + trial))
      for length in [1e-4, 0.1, 10] {
        result.append((a, zip(a, direction).map { $0 + length * scale * $1 }))
        result.append((a, zip(a, direction).map { $0 + length * scale * ($1 > 0 ? 1 : -1) }))
      }
      result.append((a, a.map { -$0 }))
      if trial < 2 {
        for index in a.indices {
          var b = a
          b[index] += scale
          result.append((a, b))
        }
      }
      var ascending = direction
      for _ in 0..<8 {
        let b = zip(a, ascending).map { $0 + 1e-2 * scale * $1 }
        let image = zip(try run.output(b), try run.output(a)).map { $0 - $1 }
        let pulled = try run.pullBack(norm.dual(image), at: b)
        let steepest = norm.steepest(pulled)
        let length = norm.length(steepest)
        if length == 0 { break }
        ascending = steepest.map { $0 / length }
        result.append((a, zip(a, ascending).map { $0 + 1e-2 * scale * $1 }))
      }
    }
    return result
  }
}
