import Model
import Rounding
import Tensors

/// Two inputs and the slope ‖f(a) − f(b)‖/‖a − b‖ between them, rounded down: no bound of the
/// network can be smaller. How close it comes to the best bound is an estimate of tightness.
public struct Slope: Sendable {
  public let value: LowerBound
  public let a: [Float]
  public let b: [Float]
}

/// Looks for a steep place of the network: points at random and of `data`, the steepest direction
/// at each by the power method of the norm (w = J·v, z = Jᵀ·s with s dual to w, v dual to z), then
/// new points around the best ones, uphill and at random. The result is the same for the same
/// weights and engine.
///
/// - Parameters:
///   - data: inputs to start from, each of the network's input elements; may be empty.
///   - search: runs the search; its precision decides nothing but how good the result is.
///   - exact: evaluates the final slopes; must compute in float64 (the rounding it is trusted
///     with is subtracted, see `roundingErrors`).
/// - Returns: nil where no slope is found or none can be vouched for, and of a network whose bound
///   holds on a domain only.
public func steepestSlope(
  _ weights: NetworkWeights, norm: Norm, search: any Engine, exact: any Engine,
  data: [[Float]] = []
) throws(EngineError) -> Slope? {
  // Outside the domain of a bound a slope says nothing about it, and the search knows no domain.
  guard weights.network.domain == nil, let floats = weights.floats else { return nil }
  var search = try SlopeSearch(weights, floats, norm: norm, engine: search)
  let places = try search.run(data)
  return try steepestWitness(places, weights, floats, norm: norm, engine: exact)
}

extension NetworkWeights {
  /// All tensors as float32; nil where one holds a number that is not a float32.
  var floats: [String: [Float]]? {
    var result: [String: [Float]] = [:]
    for (name, tensor) in tensors {
      switch tensor.values {
      case .float32(let values): result[name] = values
      case .float64(let values):
        let rounded = values.map(Float.init)
        guard zip(values, rounded).allSatisfy({ $0 == Double($1) }) else { return nil }
        result[name] = rounded
      }
    }
    return result
  }
}

extension Executable {
  func load(_ weights: [String: [Float]]) throws(EngineError) {
    for name in states.keys { if let values = weights[name] { try writeState(name, values) } }
  }
}

/// A point and a direction, and the slope there as the search saw it.
struct SlopePlace {
  var x: [Float]
  var v: [Float]
  var slope: Float
}

private struct SlopeSearch {
  let norm: Norm
  let batch: Int
  let rounds: Int
  let inputs: Int
  let outputs: Int
  let executable: any Executable
  /// Uphill directions; nil without activations, and where the engine cannot run them.
  let ascent: (any Executable)?
  var random = SplitMix(state: 0x51_0E_5E_A7_C4)

  init(
    _ weights: NetworkWeights, _ floats: [String: [Float]], norm: Norm, engine: any Engine
  ) throws(EngineError) {
    self.norm = norm
    let network = weights.network
    inputs = network.inputShape.elementCount
    outputs = network.outputShape.elementCount
    let size = max(1, network.parameterCount + inputs + outputs)
    batch = max(2, min(32, 20_000_000 / size))
    rounds = max(3, min(160, 1_600_000_000 / (size * batch)))
    executable = try engine.compile(
      [Self.program(network, batch, isTransposed: false),
       Self.program(network, batch, isTransposed: true)], options: Self.options(size))
    try executable.load(floats)
    if network.nodes.contains(where: { $0.activationSlopes != nil }) {
      ascent = try? engine.compile(
        [Self.uphillProgram(network, batch)], options: Self.options(size))
      try ascent?.load(floats)
    } else {
      ascent = nil
    }
  }

  /// One thread for all but large networks: steps are so short that waiting for another thread,
  /// on a machine that is busy, would take longer than all the arithmetic.
  private static func options(_ size: Int) -> EngineOptions {
    EngineOptions(threads: size < 4_000_000 ? 1 : nil)
  }

  /// `jvp`: x, v ↦ J(x)·v. `vjp`: x, v ↦ J(x)ᵀ·v.
  static func program(_ network: Network, _ batch: Int, isTransposed: Bool) -> Program {
    let g = GraphBuilder()
    let x = g.input("x", [batch] + network.inputShape)
    let y = Lowering.forwardValue(network: network, x: x, mode: .deployed, g).output
    if isTransposed {
      let s = g.input("v", g.shape(y))
      let z = g.gradient(of: y, with: [x], seed: s)[0]
      return Program(name: "vjp", graph: g.graph, outputs: [.init("result", z)]).optimized()
    }
    // J·v is the gradient of ⟨Jᵀ·s, v⟩ with respect to s, at any s.
    let v = g.input("v", g.shape(x))
    let s = g.constant(0, g.shape(y))
    let z = g.gradient(of: y, with: [x], seed: s)[0]
    let w = g.gradient(of: z, with: [s], seed: v)[0]
    return Program(name: "jvp", graph: g.graph, outputs: [.init("result", w)]).optimized()
  }

  /// x, v, s ↦ two directions of x in which sᵀ·J(x)·v is expected to grow.
  ///
  /// `smooth` is its gradient, which is zero for piecewise linear networks. `kinks` moves what an
  /// activation reads, u, where a larger slope there would help: with t = ∂u·v and g the cotangent
  /// of what it writes, sᵀJv grows by g·t per unit of slope, and near 0 slopes mostly grow with u. So
  /// it is the gradient of Σ ⟨u, g·t/(1 + (6u/m)²)⟩ with all but the first factor held, m = mean |u|.
  static func uphillProgram(_ network: Network, _ batch: Int) -> Program {
    let g = GraphBuilder()
    let x = g.input("x", [batch] + network.inputShape)
    let v = g.input("v", g.shape(x))
    let forward = Lowering.forwardValue(network: network, x: x, mode: .deployed, g)
    let y = forward.output
    let s = g.input("s", g.shape(y))
    let seed = g.constant(0, g.shape(y))
    let z = g.gradient(of: y, with: [x], seed: seed)[0]
    let w = g.gradient(of: z, with: [seed], seed: v)[0]
    let smooth = g.gradient(of: w, with: [x], seed: s)[0]

    var activations: [(argument: Value, result: Value)] = []
    for (index, node) in network.nodes.enumerated() where node.activationSlopes != nil {
      let argument: Value = if case .node(let operand) = node.inputs[0] {
        forward.nodes[operand]
      } else { x }
      activations.append((argument, forward.nodes[index]))
    }
    var kinks = g.constant(0, g.shape(x))
    if !activations.isEmpty {
      let cotangents = g.gradient(of: y, with: activations.map(\.result), seed: s)
      // ∂u·v of every u at once: Σ ⟨u, r⟩ is linear in r, at any r.
      let probes = activations.map { g.constant(0, g.shape($0.argument)) }
      func sum(_ factors: [Value]) -> Value {
        zip(activations, factors).map { g.sum(g.multiply($0.argument, $1)) }
          .reduce(g.constant(0)) { g.add($0, $1) }
      }
      let pulled = g.gradient(of: sum(probes), with: [x])[0]
      let tangents = g.gradient(of: pulled, with: probes, seed: v)
      let pushes = activations.indices.map { k in
        let u = activations[k].argument
        let size = g.binary(.maximum, u, g.negate(u))
        let count = Double(g.shape(u).elementCount)
        let mean = g.add(g.multiply(g.sum(size), 1 / count), 1e-30)
        let ratio = g.divide(g.multiply(size, 6), g.broadcast(mean, to: g.shape(u), axes: []))
        let gain = g.multiply(cotangents[k], tangents[k])
        return g.stopGradient(g.divide(gain, g.add(g.square(ratio), 1)))
      }
      kinks = g.gradient(of: sum(pushes), with: [x])[0]
    }
    return Program(
      name: "uphill", graph: g.graph,
      outputs: [.init("smooth", smooth), .init("kinks", kinks)]
    ).optimized()
  }

  mutating func run(_ data: [[Float]]) throws(EngineError) -> [SlopePlace] {
    var best: [SlopePlace] = []
    var places = (0..<batch).map { startingPlace($0) }
    // The steepest of the data, a batch at a time.
    for first in stride(from: 0, to: data.count, by: batch) {
      for index in 0..<min(batch, data.count - first) { places[index].x = data[first + index] }
      for _ in 0..<8 { try steepen(&places) }
      best = steepest(best + places)
      places = (0..<batch).map { startingPlace($0) }
    }
    for round in 0..<rounds {
      for _ in 0..<(round == 0 ? 8 : 3) { try steepen(&places) }
      best = steepest(best + places)
      guard !best.isEmpty else { return [] }
      let directions = try uphill(best)
      places = (0..<batch).map { index in
        let place = best[index % best.count]
        let turn = index / best.count
        guard turn < 3, let directions else { return neighbour(of: place, round + index) }
        let uphill = directions[index % best.count][(turn + round) % 2]
        return step(from: place, along: uphill, (round + turn) % 5)
          ?? neighbour(of: place, round + index)
      }
    }
    try steepen(&places)
    return Array(steepest(best + places).prefix(4))
  }

  private func steepest(_ places: [SlopePlace]) -> [SlopePlace] {
    Array(places.filter { $0.slope.isFinite }.sorted { $0.slope > $1.slope }
      .prefix(max(2, batch / 4)))
  }

  /// `kinks` and `smooth` at each place.
  private func uphill(_ places: [SlopePlace]) throws(EngineError) -> [[[Float]]]? {
    guard let ascent else { return nil }
    let padded = (0..<batch).map { places[$0 % places.count] }
    let x = padded.flatMap(\.x)
    let v = padded.flatMap(\.v)
    try executable.writeInput("x", of: "jvp", x)
    try executable.writeInput("v", of: "jvp", v)
    try executable.run("jvp")
    var w = try executable.readOutput("result", of: "jvp", count: batch * outputs)
    for index in 0..<batch {
      let row = index * outputs..<(index + 1) * outputs
      w.replaceSubrange(row, with: dual(w[row]))
    }
    try ascent.writeInput("x", of: "uphill", x)
    try ascent.writeInput("v", of: "uphill", v)
    try ascent.writeInput("s", of: "uphill", w)
    try ascent.run("uphill")
    let kinks = try ascent.readOutput("kinks", of: "uphill", count: batch * inputs)
    let smooth = try ascent.readOutput("smooth", of: "uphill", count: batch * inputs)
    return places.indices.map { index in
      let row = index * inputs..<(index + 1) * inputs
      return [Array(kinks[row]), Array(smooth[row])]
    }
  }

  /// A step of a length that depends on `turn`; nil where there is no direction.
  private func step(from place: SlopePlace, along direction: [Float], _ turn: Int) -> SlopePlace? {
    let length = direction.reduce(0) { $0 + $1 * $1 }.squareRoot()
    guard length > 0, length.isFinite else { return nil }
    let size = max(0.1, place.x.reduce(0) { $0 + $1 * $1 }.squareRoot())
    let factor = size * [0.01, 0.03, 0.1, 0.3, 0.003][turn] / length
    var result = place
    result.slope = 0
    for index in result.x.indices { result.x[index] += factor * direction[index] }
    return result
  }

  /// Inputs as they occur (in [0, 1)), and points around the origin at several scales.
  private mutating func startingPlace(_ index: Int) -> SlopePlace {
    let scale: Double = [1, 1, 0.1, 10][index % 4]
    let x = (0..<inputs).map { _ in
      index % 4 == 0 ? Float(abs(random.unit())) : Float(gaussian() * scale)
    }
    var v = (0..<inputs).map { _ in Float(gaussian()) }
    makeUnit(&v)
    return SlopePlace(x: x, v: v, slope: 0)
  }

  private mutating func neighbour(of place: SlopePlace, _ index: Int) -> SlopePlace {
    var result = place
    result.slope = 0
    let size = (place.x.reduce(0) { $0 + $1 * $1 } / Float(max(1, inputs))).squareRoot()
    let step = [0.03, 0.1, 0.3, 1][index % 4] * max(Double(size), 0.1)
    let along = index % 3 == 0 ? gaussian() * step * Double(inputs).squareRoot() : 0
    let length = (place.v.reduce(0) { $0 + $1 * $1 }).squareRoot()
    for i in 0..<inputs {
      let shift = along == 0 ? gaussian() * step : along * Double(place.v[i] / max(length, 1e-30))
      result.x[i] += Float(shift)
    }
    return result
  }

  /// One step of the power method at every place; records the slope of the direction it had.
  private func steepen(_ places: inout [SlopePlace]) throws(EngineError) {
    let x = places.flatMap(\.x)
    try executable.writeInput("x", of: "jvp", x)
    try executable.writeInput("v", of: "jvp", places.flatMap(\.v))
    try executable.run("jvp")
    var w = try executable.readOutput("result", of: "jvp", count: batch * outputs)
    var before = places
    for index in 0..<batch {
      let row = index * outputs..<(index + 1) * outputs
      before[index].slope = length(w[row])
      w.replaceSubrange(row, with: dual(w[row]))
    }
    try executable.writeInput("x", of: "vjp", x)
    try executable.writeInput("v", of: "vjp", w)
    try executable.run("vjp")
    let z = try executable.readOutput("result", of: "vjp", count: batch * inputs)
    for index in 0..<batch {
      var v = predual(z[index * inputs..<(index + 1) * inputs])
      makeUnit(&v)
      let isUsable = v.allSatisfy(\.isFinite) && v.contains { $0 != 0 }
      // The slope belongs to the old direction; the power method never makes it smaller.
      places[index].slope = before[index].slope
      if isUsable { places[index].v = v }
    }
  }

  private func length(_ w: ArraySlice<Float>) -> Float {
    switch norm {
    case .l1: w.reduce(0) { $0 + $1.magnitude }
    case .l2: w.reduce(0) { $0 + $1 * $1 }.squareRoot()
    case .linf: w.reduce(0) { max($0, $1.magnitude) }
    }
  }

  /// s with ⟨s, w⟩ = ‖w‖ and dual norm 1.
  private func dual(_ w: ArraySlice<Float>) -> [Float] {
    switch norm {
    case .l1: w.map { $0 < 0 ? -1 : 1 }
    case .l2: w.map { $0 / max(length(w), 1e-30) }
    case .linf: peak(w)
    }
  }

  /// The v of norm 1 with the largest ⟨z, v⟩.
  private func predual(_ z: ArraySlice<Float>) -> [Float] {
    switch norm {
    case .l1: peak(z)
    case .l2: Array(z)
    case .linf: z.map { $0 < 0 ? -1 : 1 }
    }
  }

  private func peak(_ w: ArraySlice<Float>) -> [Float] {
    var result = [Float](repeating: 0, count: w.count)
    if let index = w.indices.max(by: { w[$0].magnitude < w[$1].magnitude }) {
      result[index - w.startIndex] = w[index] < 0 ? -1 : 1
    }
    return result
  }

  private func makeUnit(_ v: inout [Float]) {
    let size = length(v[...])
    if size > 0 { for index in v.indices { v[index] /= size } }
  }

  /// Roughly normal: the sum of four uniforms, variance 1.
  private mutating func gaussian() -> Double {
    (random.unit() + random.unit() + random.unit() + random.unit()) * 0.75.squareRoot()
  }
}
