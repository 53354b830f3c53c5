/// An array as a data file holds it: booleans, integers or floating point of either byte order.
public struct NumberArray: Sendable {
  /// By NumPy's names.
  public enum ElementType: String, Sendable {
    case bool = "b1"
    case int8 = "i1", int16 = "i2", int32 = "i4", int64 = "i8"
    case uint8 = "u1", uint16 = "u2", uint32 = "u4", uint64 = "u8"
    case float16 = "f2", float32 = "f4", float64 = "f8"

    public var size: Int { Int(rawValue.utf8.last! - UInt8(ascii: "0")) }
    public var isFloat: Bool { self == .float16 || self == .float32 || self == .float64 }
  }

  public let shape: [Int]
  public let type: ElementType
  /// Row-major, whatever the order of the file.
  private let bytes: [UInt8]
  private let isBigEndian: Bool

  public var count: Int { shape.reduce(1, *) }

  /// - Parameter bytes: as many as shape and type say.
  init(
    shape: [Int], type: ElementType, bytes: [UInt8], isBigEndian: Bool, isFortran: Bool = false
  ) {
    self.shape = shape
    self.type = type
    self.isBigEndian = isBigEndian
    self.bytes = isFortran && shape.count > 1 ? Self.rowMajor(bytes, shape, type.size) : bytes
  }

  /// Elements in Fortran order, the first index fastest, put in C order.
  private static func rowMajor(_ data: [UInt8], _ shape: [Int], _ size: Int) -> [UInt8] {
    var strides = [Int](repeating: 1, count: shape.count)
    for axis in 1..<shape.count { strides[axis] = strides[axis - 1] * shape[axis - 1] }
    let count = data.count / size
    var result = [UInt8](repeating: 0, count: data.count)
    var index = [Int](repeating: 0, count: shape.count)
    var source = 0
    for element in 0..<count {
      for byte in 0..<size { result[element * size + byte] = data[source * size + byte] }
      var axis = shape.count - 1
      while axis >= 0 {
        index[axis] += 1
        source += strides[axis]
        if index[axis] < shape[axis] { break }
        source -= strides[axis] * shape[axis]
        index[axis] = 0
        axis -= 1
      }
    }
    return result
  }

  // MARK: values

  /// Of `uint8`: the elements themselves.
  public var unsignedBytes: [UInt8]? { type == .uint8 ? bytes : nil }

  /// Every element as float32, rounded to nearest.
  public func floats() -> [Float] {
    switch type {
    case .bool: bytes.map { $0 == 0 ? 0 : 1 }
    case .int8: elements(Int8.self) { Float($0) }
    case .int16: elements(Int16.self) { Float($0) }
    case .int32: elements(Int32.self) { Float($0) }
    case .int64: elements(Int64.self) { Float($0) }
    case .uint8: bytes.map { Float($0) }
    case .uint16: elements(UInt16.self) { Float($0) }
    case .uint32: elements(UInt32.self) { Float($0) }
    case .uint64: elements(UInt64.self) { Float($0) }
    case .float16: elements(UInt16.self) { Float(Float16(bitPattern: $0)) }
    case .float32: elements(UInt32.self) { Float(bitPattern: $0) }
    case .float64: elements(UInt64.self) { Float(Double(bitPattern: $0)) }
    }
  }

  /// Every element as a whole number; nil at those that are none or do not fit.
  public func integers() -> [Int?] {
    switch type {
    case .bool: bytes.map { $0 == 0 ? 0 : 1 }
    case .int8: elements(Int8.self) { Int($0) }
    case .int16: elements(Int16.self) { Int($0) }
    case .int32: elements(Int32.self) { Int($0) }
    case .int64: elements(Int64.self) { Int($0) }
    case .uint8: bytes.map { Int($0) }
    case .uint16: elements(UInt16.self) { Int($0) }
    case .uint32: elements(UInt32.self) { Int($0) }
    case .uint64: elements(UInt64.self) { Int(exactly: $0) }
    case .float16, .float32: floats().map { Int(exactly: $0) }
    case .float64: elements(UInt64.self) { Int(exactly: Double(bitPattern: $0)) }
    }
  }

  private func elements<Raw: FixedWidthInteger, Value>(
    _ raw: Raw.Type, _ value: (Raw) -> Value
  ) -> [Value] {
    bytes.withUnsafeBytes { buffer in
      (0..<buffer.count / MemoryLayout<Raw>.size).map { index in
        let word = buffer.loadUnaligned(
          fromByteOffset: index * MemoryLayout<Raw>.size, as: Raw.self)
        return value(isBigEndian ? Raw(bigEndian: word) : Raw(littleEndian: word))
      }
    }
  }
}
