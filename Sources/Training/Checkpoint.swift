import Diagnostics
import Formats
import Tensors

/// Everything that a run needs to go on after a step as if it had never stopped: every state of its
/// programs (weights, the optimizer's moments, the constraints' vectors, counters, averages) and
/// what the loop itself has counted. Random numbers and batches are functions of seed and step.
public struct Checkpoint: Sendable {
  /// Steps done.
  public var step: Int
  /// What wrote it.
  var origin: Origin
  /// Of the loop: `seconds`, `line_step`, sums of the next line of metrics, early stopping.
  var loop: [String: Double]
  var tensors: [NamedTensor]

  /// What decides the bits of the steps that follow, beside the state.
  struct Origin: Sendable, Equatable {
    var version: String
    var descriptionHash: String
    var engine: String
    var threads: Int
    var processor: String
  }

  private static let format = "1"
}

extension Checkpoint {
  /// Reads the state of all programs.
  init(
    of executable: any Executable, step: Int, origin: Origin, loop: [String: Double]
  ) throws(DiagnosticError) {
    self.step = step
    self.origin = origin
    self.loop = loop
    tensors = try DiagnosticError.translating {
      try executable.states.sorted { $0.key < $1.key }.map { name, shape in
        NamedTensor(
          name: name, shape: shape,
          values: .float32(try executable.readState(name, count: shape.elementCount)))
      }
    }
  }

  /// The first state with a value that is not finite; nil: all are.
  var firstBroken: String? {
    tensors.first { tensor in
      if case .float32(let values) = tensor.values { !values.allSatisfy(\.isFinite) } else { false }
    }?.name
  }

  /// Writes all states of the programs.
  func restore(_ executable: any Executable) throws(DiagnosticError) {
    let stored = Dictionary(tensors.map { ($0.name, $0) }) { first, _ in first }
    for (name, shape) in executable.states {
      guard let tensor = stored[name], tensor.shape == shape,
        case .float32(let values) = tensor.values
      else {
        throw DiagnosticError(
          Diagnostic(
            .cannotResume, "the checkpoint of step \(step) has no `\(name)` of \(shape.shapeText)",
            at: nil, help: "it was made of another network; begin a new run"))
      }
      try DiagnosticError.translating { try executable.writeState(name, values) }
    }
  }

  // MARK: file

  func write(to path: String) throws(FormatError) {
    var metadata = [
      "lgc_checkpoint": Self.format, "step": String(step), "lgc": origin.version,
      "description_sha256": origin.descriptionHash, "engine": origin.engine,
      "threads": String(origin.threads), "processor": origin.processor,
    ]
    for (key, value) in loop { metadata["loop.\(key)"] = "\(value)" }
    metadata["crc32"] = String(checkSum(metadata))
    try SafeTensors.write(tensors, metadata: metadata, to: path)
  }

  /// Reads a checkpoint; anything but the bytes that were written is an error.
  init(reading path: String) throws(FormatError) {
    let (tensors, found) = try SafeTensors.contents(path)
    var metadata = found
    guard let format = metadata["lgc_checkpoint"] else {
      throw FormatError(path: path, message: "is not a checkpoint")
    }
    guard format == Self.format else {
      throw FormatError(path: path, message: "is a checkpoint in the form of a newer lgc")
    }
    let sum = metadata.removeValue(forKey: "crc32")
    guard let step = metadata["step"].flatMap({ Int($0) }), step >= 0,
      let version = metadata["lgc"], let hash = metadata["description_sha256"],
      let engine = metadata["engine"], let processor = metadata["processor"],
      let threads = metadata["threads"].flatMap({ Int($0) })
    else { throw FormatError(path: path, message: "lacks what a checkpoint says of itself") }
    self.step = step
    self.tensors = tensors
    origin = Origin(
      version: version, descriptionHash: hash, engine: engine, threads: threads,
      processor: processor)
    loop = [:]
    for (key, value) in metadata where key.hasPrefix("loop.") {
      loop[String(key.dropFirst(5))] = Double(value)
    }
    guard sum == String(checkSum(metadata)) else {
      throw FormatError(path: path, message: "its check sum is not that of its contents")
    }
  }

  /// Over what the file says and all its values, in the order of the names.
  private func checkSum(_ metadata: [String: String]) -> UInt32 {
    var sum = CRC32()
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) { sum.add("\(key)=\(value)\n") }
    for tensor in tensors.sorted(by: { $0.name < $1.name }) {
      sum.add("\(tensor.name)\n")
      switch tensor.values {
      case .float32(let values): values.withUnsafeBytes { sum.add($0) }
      case .float64(let values): values.withUnsafeBytes { sum.add($0) }
      }
    }
    return sum.value
  }
}
