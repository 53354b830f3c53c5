import Formats

/// The tensors of a weights file that the certificate names, each one the certified one: present,
/// with the stated hash, every number finite.
struct StoredWeights {
  private let tensors: [String: NamedTensor]

  init(_ stated: Fields, _ file: [NamedTensor]) throws(VerificationError) {
    guard let members = stated.json.members else { throw stated.fault("is not an object") }
    var tensors: [String: NamedTensor] = [:]
    for member in members {
      guard let hash = member.value.string else {
        throw .unreadable("weights.\(member.name) is not a string")
      }
      guard let tensor = file.first(where: { $0.name == member.name }) else {
        throw .refused("the weights file has no such tensor", at: member.name)
      }
      guard tensor.digest == hash else {
        throw .refused("it is not the tensor that was certified", at: member.name)
      }
      guard tensor.isFinite else {
        throw .refused("it holds a number that is not finite", at: member.name)
      }
      tensors[member.name] = tensor
    }
    self.tensors = tensors
  }

  /// The tensor with the elements that an operator needs.
  func tensor(_ name: String, shape: [Int]) throws(VerificationError) -> NamedTensor {
    guard let tensor = tensors[name] else {
      throw .refused("the certificate does not identify the tensor", at: name)
    }
    guard tensor.shape == shape, tensor.values.count == product(shape) else {
      throw .refused("its shape is not the operator's", at: name)
    }
    return tensor
  }

  /// A tensor of any shape as a matrix of that many rows: a kernel's filters.
  func matrix(
    _ name: String, _ rows: Int, _ columns: Int
  ) throws(VerificationError) -> NamedTensor {
    guard let tensor = tensors[name] else {
      throw .refused("the certificate does not identify the tensor", at: name)
    }
    guard tensor.shape.first == rows, tensor.values.count == product([rows, columns]) else {
      throw .refused("its shape is not the operator's", at: name)
    }
    return tensor
  }

  /// Its numbers, of whatever shape.
  func numbers(_ name: String) throws(VerificationError) -> [Double] {
    guard let tensor = tensors[name] else {
      throw .refused("the certificate does not identify the tensor", at: name)
    }
    return try numbers(name, shape: tensor.shape)
  }

  func numbers(_ name: String, shape: [Int]) throws(VerificationError) -> [Double] {
    switch try tensor(name, shape: shape).values {
    case .float32(let values): values.map(Double.init)
    case .float64(let values): values
    }
  }
}

extension NamedTensor {
  /// SHA-256 of the little-endian bytes.
  fileprivate var digest: String {
    var hash = SHA256()
    switch values {
    case .float32(let values): values.withUnsafeBytes { hash.update($0) }
    case .float64(let values): values.withUnsafeBytes { hash.update($0) }
    }
    return hash.finish()
  }

  fileprivate var isFinite: Bool {
    switch values {
    case .float32(let values): values.allSatisfy(\.isFinite)
    case .float64(let values): values.allSatisfy(\.isFinite)
    }
  }
}

/// A stored number, exact as a Double.
protocol StoredNumber: BinaryFloatingPoint, Sendable {}
extension Float: StoredNumber {}
extension Double: StoredNumber {}
