import Diagnostics
import Formats
import Lipschitz
import Model
import Rounding
import Verification

/// A certificate taken apart, so that a test can change a part and make it whole again.
struct CertificateText {
  var json: JSON
  var tensors: [NamedTensor]

  init(json: JSON, tensors: [NamedTensor]) {
    self.json = json
    self.tensors = tensors
  }

  init(_ weights: NetworkWeights, reports: [BoundReport], tensors: [NamedTensor]) throws {
    json = try JSON(Array(Certificate(weights, reports: reports).text.utf8))
    self.tensors = tensors
  }

  /// A certificate of random weights.
  init(
    _ network: Network, norms: [Norm] = Norm.allCases, _ entry: (String, Int) -> Float
  ) throws {
    let values = tensors_(network, entry)
    let weights = try NetworkWeights(network, tensors: values)
    try self.init(
      weights, reports: certifiedBound(weights, norms: norms), tensors: Array(values.values))
  }

  var bytes: [UInt8] { Array(json.canonicalText.utf8) }

  func verified() throws(VerificationError) -> Verification {
    try verify(certificate: bytes, weights: tensors)
  }

  /// Whether it is accepted; any other failure than a refusal is thrown.
  func isAccepted() throws -> Bool {
    do throws(VerificationError) {
      _ = try verified()
      return true
    } catch {
      guard case .refused = error else { throw error }
      return false
    }
  }

  /// With hashes of tensors, graph and text as they must be after a change: what remains to be
  /// refused is refused by its proof.
  func resealed() throws -> CertificateText {
    var result = self
    func hash(_ json: JSON) -> JSON {
      .string(SHA256.hexadecimal(Array(json.canonicalText.utf8)))
    }
    if let graph = json["graph"] { result.json["description"] = hash(graph) }
    for tensor in tensors { result.json["weights"]![tensor.name] = .string(tensor.sha256) }
    result.json["seal"] = nil
    let seal = hash(result.json)
    result.json["seal"] = seal
    return result
  }

  /// The way to every hexadecimal float of the bounds, with the name of its member.
  var numbers: [Number] {
    var found: [Number] = []
    func visit(_ json: JSON, _ path: [Step], _ name: String) {
      switch json {
      case .string(let text):
        guard text.hasPrefix("0x"), let value = Double(text), case .index(let bound) = path[1]
        else { return }
        found.append(Number(path: path, bound: bound, name: name, value: value))
      case .array(let values):
        for (index, value) in values.enumerated() { visit(value, path + [.index(index)], name) }
      case .object(let members):
        for member in members {
          visit(member.value, path + [.member(member.name)], member.name)
        }
      default: break
      }
    }
    visit(json["bounds"]!, [.member("bounds")], "")
    return found
  }

  struct Number {
    let path: [Step]
    /// Which of the bounds it belongs to.
    let bound: Int
    let name: String
    let value: Double
  }

  enum Step: Hashable {
    case member(String)
    case index(Int)
  }

  mutating func set(_ value: JSON, at path: [Step]) { json.set(value, at: path[...]) }
}

private func tensors_(
  _ network: Network, _ entry: (String, Int) -> Float
) -> [String: NamedTensor] { tensors(network, entry) }

extension JSON {
  subscript(_ name: String) -> JSON? {
    get { members?.first { $0.name == name }?.value }
    set {
      var list = members ?? []
      if let index = list.firstIndex(where: { $0.name == name }) {
        if let newValue { list[index] = Member(name: name, value: newValue) }
        else { list.remove(at: index) }
      } else if let newValue {
        list.append(Member(name: name, value: newValue))
      }
      self = .object(list)
    }
  }

  mutating func set(_ value: JSON, at path: ArraySlice<CertificateText.Step>) {
    switch path.first {
    case nil: self = value
    case .member(let name):
      var inner = self[name]!
      inner.set(value, at: path.dropFirst())
      self[name] = inner
    case .index(let index):
      var values = array!
      values[index].set(value, at: path.dropFirst())
      self = .array(values)
    }
  }
}

/// As certificates print it.
func hexadecimalText(_ value: Double) -> String {
  if value == 0 { return "0x0p+0" }
  let bits = String(value.significandBitPattern, radix: 16)
  let digits = String(repeating: "0", count: 13 - bits.count) + bits
  return "0x1.\(digits)p\(value.exponent < 0 ? "" : "+")\(value.exponent)"
}
