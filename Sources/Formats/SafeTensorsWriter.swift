extension SafeTensors {
  /// Writes a file atomically. Equal arguments give equal bytes: tensors stand in the order the
  /// reference implementation gives them (wider elements first, then by name), metadata by name.
  public static func write(
    _ tensors: [NamedTensor], metadata: [String: String] = [:], to path: String
  ) throws(FormatError) {
    for tensor in tensors where tensor.shape.reduce(1, *) != tensor.values.count {
      throw FormatError(path: path, message: sizeMismatch(tensor))
    }
    var names: Set<String> = ["__metadata__"]
    for tensor in tensors where !names.insert(tensor.name).inserted {
      throw FormatError(path: path, message: nameTaken(tensor.name))
    }
    let ordered = tensors.sorted { a, b in
      a.values.size != b.values.size
        ? a.values.size > b.values.size : a.name.utf8.lexicographicallyPrecedes(b.name.utf8)
    }
    let header = headerBytes(ordered, metadata)
    try AtomicFile.write(to: path) { (file) throws(FormatError) in
      try file.append(header)
      for tensor in ordered {
        switch tensor.values {
        case .float32(let values): try append(values, to: file)
        case .float64(let values): try append(values, to: file)
        }
      }
    }
  }

  private static func append<Number>(
    _ values: [Number], to file: borrowing OutputFile
  ) throws(FormatError) {
    var failure: FormatError?
    values.withUnsafeBytes { bytes in
      do throws(FormatError) { try file.append(bytes) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// The length and the JSON header, padded with spaces so that the data begins at a multiple of 8.
  static func headerBytes(_ tensors: [NamedTensor], _ metadata: [String: String]) -> [UInt8] {
    var members: [String] = []
    if !metadata.isEmpty {
      let sorted = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      let pairs = sorted.map { "\(quoted($0.key)):\(quoted($0.value))" }
      members.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
    }
    var position = 0
    for tensor in tensors {
      let end = position + tensor.values.count * tensor.values.size
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      members.append(
        "\(quoted(tensor.name)):{\"dtype\":\"\(tensor.values.type.rawValue)\","
          + "\"shape\":[\(shape)],\"data_offsets\":[\(position),\(end)]}")
      position = end
    }
    var text = Array("{\(members.joined(separator: ","))}".utf8)
    while text.count % 8 != 0 { text.append(UInt8(ascii: " ")) }
    let length = UInt64(text.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + text
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case "\u{8}": result += "\\b"
      case "\u{C}": result += "\\f"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  fileprivate static func sizeMismatch(_ tensor: NamedTensor) -> String {
    "tensor `\(tensor.name)`: \(tensor.values.count) values do not fill the shape \(tensor.shape)"
  }
  fileprivate static func nameTaken(_ name: String) -> String {
    name == "__metadata__"
      ? "a tensor cannot be called `__metadata__`" : "two tensors are called `\(name)`"
  }
}

extension TensorValues {
  var type: SafeTensors.ElementType {
    switch self {
    case .float32: .f32
    case .float64: .f64
    }
  }
  var size: Int { type.size }
}
