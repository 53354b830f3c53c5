import Model
import Rounding
import Tensors

/// The best slope between x ± ½εv over the places and a range of ε, evaluated in float64 and
/// rounded down.
func steepestWitness(
  _ places: [SlopePlace], _ weights: NetworkWeights, _ floats: [String: [Float]], norm: Norm,
  engine: any Engine
) throws(EngineError) -> Slope? {
  let network = weights.network
  let inputs = network.inputShape.elementCount
  let outputs = network.outputShape.elementCount
  let count = network.parameterCount > 4_000_000 ? 1 : places.count
  var pairs: [(a: [Float], b: [Float])] = []
  for place in places.prefix(count) {
    let largest = place.v.reduce(0) { max($0, $1.magnitude) }
    for step: Float in [1e-3, 1e-2, 0.1, 1] {
      let half = step / (2 * largest)
      pairs.append((
        zip(place.x, place.v).map { $0 - half * $1 }, zip(place.x, place.v).map { $0 + half * $1 }
      ))
    }
  }
  guard !pairs.isEmpty else { return nil }

  let g = GraphBuilder()
  let shape = [pairs.count] + network.inputShape
  let (a, b) = (g.input("a", shape), g.input("b", shape))
  let start = Lowering.forwardValue(network: network, x: a, mode: .deployed, g).output
  let end = Lowering.forwardValue(network: network, x: b, mode: .deployed, g).output
  let difference = g.subtract(end, start)
  let program = Program(
    name: "difference", graph: g.graph, outputs: [.init("difference", difference)])
  let executable = try engine.compile([program.optimized()], options: EngineOptions())
  try executable.load(floats)
  try executable.writeInput("a", of: program.name, pairs.flatMap(\.a))
  try executable.writeInput("b", of: program.name, pairs.flatMap(\.b))
  try executable.run(program.name)
  let differences = try executable.readOutput(
    "difference", of: program.name, count: pairs.count * outputs)

  var magnitude = [Double](repeating: 0, count: inputs)
  for (a, b) in pairs {
    for i in 0..<inputs { magnitude[i] = max(magnitude[i], Double(max(abs(a[i]), abs(b[i])))) }
  }
  guard magnitude.allSatisfy(\.isFinite), let errors = roundingErrors(weights, magnitude: magnitude)
  else { return nil }
  var best: Slope?
  for (index, pair) in pairs.enumerated() {
    let row = differences[index * outputs..<(index + 1) * outputs]
    guard row.allSatisfy(\.isFinite) else { continue }
    // Less the error at both ends, and what rounding the difference to float32 may have added.
    let rise = zip(row, errors).map { value, error in
      LowerBound(proved: Directed.productDown(Double(value.magnitude), 1 - 0x1p-22))
        - UpperBound(proved: Directed.sumUp(2 * error, 0x1p-149))
    }
    let run = zip(pair.a, pair.b).map { a, b in
      UpperBound(proved: abs(Double(b) - Double(a)).nextUp)
    }
    let slope = lengthDown(rise, norm) / lengthUp(run, norm)
    if best.map({ slope > $0.value }) ?? true {
      best = Slope(value: slope, a: pair.a, b: pair.b)
    }
  }
  return best
}

private func lengthDown(_ x: [LowerBound], _ norm: Norm) -> LowerBound {
  switch norm {
  case .l1: x.reduce(.zero, +)
  case .l2: x.reduce(.zero) { $0 + $1 * $1 }.squareRoot()
  case .linf: x.max() ?? .zero
  }
}

private func lengthUp(_ x: [UpperBound], _ norm: Norm) -> UpperBound {
  switch norm {
  case .l1: x.reduce(.zero, +)
  case .l2: x.reduce(.zero) { $0 + $1 * $1 }.squareRoot()
  case .linf: x.max() ?? .zero
  }
}
