import Model
import Rounding
import Tensors

/// f_y(x) − f_j(x) of classified samples, between proved bounds: the real-valued function that the
/// stored weights define, not what float32 inference makes of it.
///
/// Computed in float64; what that may be off by is bounded beforehand (`roundingErrors`) and
/// subtracted. Of a network with one output the margin is ±f(x), + for class 1.
public struct LogitMargins: Sendable {
  public let outputs: Int
  /// Row-major, samples × outputs; 0 where j is the sample's own class.
  private let values: [Float]
  /// Of each output.
  private let errors: [UpperBound]
  private let labels: [Int32]

  fileprivate init(outputs: Int, values: [Float], errors: [UpperBound], labels: [Int32]) {
    self.outputs = outputs
    self.values = values
    self.errors = errors
    self.labels = labels
  }

  public var count: Int { labels.count }

  /// f_y − f_j of sample i is at least this; −∞ where it is not a number.
  public func lower(_ i: Int, _ j: Int) -> Double {
    let value = Double(values[i * outputs + j])
    guard value.isFinite else { return -.infinity }
    // Rounding the difference to float32 took 2⁻²⁴ of it, and float64's subtraction less.
    let rounded = value.magnitude * 0x1p-22 + 0x1p-140
    return Directed.sumDown(Directed.sumDown(value, -rounded), -error(i, j))
  }

  /// And at most this; ∞ where it is not a number.
  public func upper(_ i: Int, _ j: Int) -> Double {
    let value = Double(values[i * outputs + j])
    guard value.isFinite else { return .infinity }
    let rounded = value.magnitude * 0x1p-22 + 0x1p-140
    return Directed.sumUp(Directed.sumUp(value, rounded), error(i, j))
  }

  /// The other outputs that could overtake sample i's own; of one output, that output itself.
  public func rivals(of i: Int) -> [Int] {
    outputs == 1 ? [0] : (0..<outputs).filter { $0 != Int(labels[i]) }
  }

  private func error(_ i: Int, _ j: Int) -> Double {
    outputs == 1 ? errors[0].value : (errors[Int(labels[i])] + errors[j]).value
  }

  /// A lower bound, rounded down, of the norm of a change that turns sample i:
  /// min over j of (f_y − f_j)/L_yj; 0 where its class does not lead, ∞ where nothing can change it.
  public func radius(of i: Int, _ bounds: PairwiseBounds) -> Double {
    let label = outputs == 1 ? 0 : Int(labels[i])
    var radius = Double.infinity
    for j in rivals(of: i) {
      let margin = lower(i, j)
      guard margin > 0 else { return 0 }
      let bound = bounds[label, j]
      if bound.value == 0 { continue }
      guard bound.isFinite else { return 0 }
      radius = min(radius, Directed.quotientDown(margin, bound.value))
    }
    return radius
  }
}

/// Evaluates the margins of samples x, each of the network's input elements, one after the other.
///
/// - Parameter engine: must compute in float64; used by several threads, each with its own program.
/// - Returns: nil where no rounding bound is known for a layer, or a weight is no float32.
public func provedMargins(
  _ weights: NetworkWeights, of x: [Float], labels: [Int32], engine: any Engine
) throws(EngineError) -> LogitMargins? {
  let network = weights.network
  let inputs = network.inputShape.elementCount
  let outputs = network.outputShape.elementCount
  precondition(x.count == inputs * labels.count, "lgc's own bug: \(x.count) numbers")
  guard let floats = weights.floats else { return nil }
  var magnitude = [Double](repeating: 0, count: inputs)
  for start in stride(from: 0, to: x.count, by: inputs) {
    for i in 0..<inputs { magnitude[i] = max(magnitude[i], Double(x[start + i].magnitude)) }
  }
  guard magnitude.allSatisfy(\.isFinite),
    let errors = roundingErrors(weights, magnitude: magnitude)
  else { return nil }

  let size = max(1, network.nodes.reduce(inputs) { max($0, $1.outputShape.elementCount) })
  let batch = max(1, min(100, 2_000_000 / size, labels.count))
  let count = (labels.count + batch - 1) / batch
  let job = MarginJob(
    program: marginProgram(network, batch: batch), engine: engine, floats: floats, batch: batch,
    inputs: inputs, outputs: outputs, x: x, labels: labels)
  let results = UnsafeMutableBufferPointer<Result<[Float], EngineError>?>.allocate(capacity: count)
  results.initialize(repeating: nil)
  defer {
    results.deinitialize()
    results.deallocate()
  }
  concurrently(count, makeState: { job.compiled() }) { index, executable in
    results[index] = job.run(index, executable)
  }
  var values: [Float] = []
  values.reserveCapacity(labels.count * outputs)
  for result in results { values += try result!.get() }
  return LogitMargins(
    outputs: outputs, values: values, errors: errors.map { UpperBound(proved: $0) },
    labels: labels)
}

/// `margins` [batch, outputs]: f_label − f_j.
private func marginProgram(_ network: Network, batch: Int) -> Program {
  let g = GraphBuilder()
  let x = g.input("x", [batch] + network.inputShape)
  let labels = g.input("labels", [batch])
  let y = Lowering.forwardValue(network: network, x: x, mode: .deployed, g).output
  let shape = [batch, network.outputShape.elementCount]
  let rows = g.reshape(y, to: shape)
  let margins: Value
  if shape[1] == 1 {
    let signs = g.subtract(g.multiply(labels, 2), 1)
    margins = g.multiply(rows, g.reshape(signs, to: shape))
  } else {
    let isOwn = g.binary(.equal, g.iota(shape, axis: 1), g.broadcast(leading: labels, to: shape))
    let own = g.sum(g.multiply(isOwn, rows), [1])
    margins = g.subtract(g.broadcast(leading: own, to: shape), rows)
  }
  return Program(name: "margins", graph: g.graph, outputs: [.init("margins", margins)])
    .optimized()
}

/// Batches of samples for threads to take.
private struct MarginJob {
  let program: Program
  let engine: any Engine
  let floats: [String: [Float]]
  let batch: Int
  let inputs: Int
  let outputs: Int
  let x: [Float]
  let labels: [Int32]

  func compiled() -> Result<any Executable, EngineError> {
    do throws(EngineError) {
      let executable = try engine.compile([program], options: EngineOptions(threads: 1))
      try executable.load(floats)
      return .success(executable)
    } catch {
      return .failure(error)
    }
  }

  func run(
    _ index: Int, _ executable: Result<any Executable, EngineError>
  ) -> Result<[Float], EngineError> {
    do throws(EngineError) {
      let executable = try executable.get()
      let samples = index * batch..<min((index + 1) * batch, labels.count)
      let missing = batch - samples.count
      let rows = x[samples.lowerBound * inputs..<samples.upperBound * inputs]
      try executable.writeInput(
        "x", of: program.name, Array(rows) + [Float](repeating: 0, count: missing * inputs))
      try executable.writeInput(
        "labels", of: program.name,
        labels[samples].map(Float.init) + [Float](repeating: 0, count: missing))
      try executable.run(program.name)
      let margins = try executable.readOutput(
        "margins", of: program.name, count: batch * outputs)
      return .success(Array(margins.prefix(samples.count * outputs)))
    } catch {
      return .failure(error)
    }
  }
}
