/// A compiled program that treats the samples of a batch alike, run over any number of samples.
///
/// Its inputs and outputs are [batch, …]. A batch that is not full is filled up with zeros, and the
/// outputs of those are not shown; so the program is compiled once, and memory does not grow with
/// the number of samples. Evaluation, searches over inputs and sampling run through this.
public final class BatchedProgram {
  public let batch: Int
  private let executable: any Executable
  private let name: String
  /// Name → elements of a sample.
  private let inputs: [String: Int]
  private var outputs: [String: (size: Int, values: UnsafeMutableBufferPointer<Float>)] = [:]
  /// Of the last run.
  private var count = 0

  /// - Parameter program: one that `executable` was compiled with. Inputs and outputs of no axis
  ///   (a step's learning rate) are not this type's business.
  public init(_ program: Program, of executable: any Executable, batch: Int) {
    self.executable = executable
    self.batch = batch
    name = program.name
    func size(_ shape: Shape) -> Int? {
      shape.first == batch ? shape.dropFirst().reduce(1, *) : nil
    }
    inputs = program.inputs.compactMapValues(size)
    for output in program.outputs {
      guard let size = size(program.graph.shape(output.value)) else { continue }
      outputs[output.name] = (size, .allocate(capacity: size * batch))
    }
  }

  deinit { for output in outputs.values { output.values.deallocate() } }

  /// The rows of an input for the next run: a whole batch, or fewer, and zeros for the rest.
  public func write(_ input: String, _ rows: UnsafeBufferPointer<Float>) throws(EngineError) {
    guard let size = inputs[input] else {
      throw EngineError("`\(name)` has no input `\(input)` of \(batch) samples")
    }
    guard rows.count < size * batch else {
      return try executable.writeInput(input, of: name, rows)
    }
    var filled = Array(rows)
    filled.append(contentsOf: repeatElement(0, count: size * batch - rows.count))
    try executable.writeInput(input, of: name, filled)
  }

  public func write(_ input: String, _ rows: [Float]) throws(EngineError) {
    var failure: EngineError?
    rows.withUnsafeBufferPointer { rows in
      do throws(EngineError) { try write(input, rows) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// Runs on what was written, of which the first `count` samples count, and fetches the outputs.
  public func run(count: Int) throws(EngineError) {
    precondition((0...batch).contains(count), "lgc's own bug: \(count) samples in \(batch)")
    try executable.run(name)
    for (output, memory) in outputs {
      try executable.readOutput(output, of: name, into: memory.values)
    }
    self.count = count
  }

  /// The rows of an output of the last run, one for each of its samples; until the next run.
  public subscript(output: String) -> UnsafeBufferPointer<Float> {
    guard let (size, values) = outputs[output] else {
      preconditionFailure("lgc's own bug: `\(name)` has no output `\(output)` for each sample")
    }
    return UnsafeBufferPointer(rebasing: values[..<(size * count)])
  }

  /// The row of one sample.
  public subscript(output: String, sample: Int) -> UnsafeBufferPointer<Float> {
    let size = outputs[output]?.size ?? 0
    return UnsafeBufferPointer(rebasing: self[output][sample * size..<(sample + 1) * size])
  }
}
