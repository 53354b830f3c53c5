import Formats
import Rounding

/// What a certificate proves, found true of the given weights.
public struct Verification: Sendable {
  public struct Claim: Sendable {
    public let norm: Norm
    /// ‖f(a) − f(b)‖ ≤ bound·‖a − b‖ for all a, b, with elements in the domain where there is one;
    /// +∞ where nothing is claimed.
    public let bound: UpperBound
    /// `product`, `absolute values`, …
    public let method: String
  }
  /// The network's name.
  public let name: String
  /// SHA-256 of the network that the certificate is about: layers, geometry, constants.
  public let description: String
  public let claims: [Claim]
  /// What every element of the inputs lies in that the claims are about; nil: anywhere.
  public let domain: ClosedRange<Double>?
  public let operators: Int
  public let tensors: Int
}

/// Checks a certificate against the weights it is about, with code of its own: nothing of the prover
/// is used, and no number of the certificate is believed that could lower a bound.
///
/// - The text must be intact (`seal`, a hash of the rest) and its graph the one that `description`
///   hashes; both only tell damage early.
/// - Every tensor must have the stated hash.
/// - Each operator's bound is proved again by its evidence, or refused.
/// - The result must be at least what the operators' bounds compose to by the stated method.
///
/// What it still trusts: IEEE float64 arithmetic, a matrix product that sums the conventional
/// products in some order, SHA-256, and that the graph is the network of interest (compare
/// `description` with that of a model).
///
/// - Parameter descriptions: the hashes of the model's own graphs, if there is a model to compare
///   with; the certificate must be about one of them.
public func verify(
  certificate: [UInt8], weights file: [NamedTensor], descriptions: [String]? = nil
) throws(VerificationError) -> Verification {
  let json: JSON
  do throws(JSONError) {
    json = try JSON(certificate)
  } catch {
    throw .unreadable("the certificate is not JSON: \(error)")
  }
  let fields = Fields(json, "")
  guard json.members != nil else { throw .unreadable("the certificate is not a JSON object") }
  let format = try fields.field("format").string()
  guard format == certificateFormat else {
    throw .unreadable("the certificate is of the format \(format), not \(certificateFormat)")
  }
  guard try fields.field("seal").string() == json.seal else {
    throw .refused("the text was changed after it was written: its seal does not fit")
  }
  let stated = try fields.field("description").string()
  guard json["graph"].map({ SHA256.hexadecimal(Array($0.canonicalText.utf8)) }) == stated else {
    throw .refused("the graph is not the one that `description` stands for")
  }
  guard descriptions?.contains(stated) ?? true else {
    throw .refused("the certificate is about another network than the model's")
  }
  let graph = try StatedGraph(try fields.field("graph"))
  let weights = try StoredWeights(try fields.field("weights"), file)
  var claims: [Verification.Claim] = []
  for bound in try fields.field("bounds").list() {
    claims.append(
      try Arithmetic.checked { () throws(VerificationError) in
        try check(bound, graph, weights)
      })
  }
  guard !claims.isEmpty else { throw .refused("the certificate claims nothing") }
  return Verification(
    name: try fields.field("name").string(), description: stated, claims: claims,
    domain: graph.domain, operators: graph.nodes.count, tensors: fields.optional("weights")?.json.members?.count ?? 0)
}

/// The format that this version writes and reads.
public let certificateFormat = "lgc-cert-2"

extension JSON {
  /// SHA-256 of the canonical text of an object without its member `seal`.
  fileprivate var seal: String {
    let rest = JSON.object((members ?? []).filter { $0.name != "seal" })
    return SHA256.hexadecimal(Array(rest.canonicalText.utf8))
  }
}

private func check(
  _ stated: Fields, _ graph: StatedGraph, _ weights: StoredWeights
) throws(VerificationError) -> Verification.Claim {
  guard let norm = Norm(rawValue: try stated.field("norm").string()) else {
    throw stated.fault("has an unknown norm")
  }
  let operators = try stated.field("operators").list()
  guard operators.count == graph.nodes.count else {
    throw .refused("the \(norm.rawValue) bound has not one operator for each node")
  }
  var claims: [OperatorClaim] = []
  for (node, fields) in zip(graph.nodes, operators) {
    guard try fields.field("node").string() == node.name else {
      throw .refused("the operator in its place belongs to another node", at: node.name)
    }
    claims.append(
      OperatorClaim(
        node: node, bound: try fields.field("bound").bound(),
        evidence: try StatedEvidence(try fields.field("evidence"))))
  }
  try OperatorCheck(weights: weights, norm: norm).check(claims)
  let bounds = claims.map(\.bound)
  let product = graph.composed(norm, bounds)
  guard try product <= stated.field("product").bound() else {
    throw .refused("the operators do not compose to the \(norm.rawValue) product")
  }
  let result = try stated.field("result").bound()
  let method = try stated.field("method").string()
  let proved: Double
  switch method {
  case "product": proved = product
  case "absolute values":
    proved = try AbsoluteValueCheck(
      graph: graph, weights: weights, operatorBounds: bounds
    ).bound(norm)
  case "fused", "joint", "fast":
    guard norm == .l2 else { throw .refused("pairs and stretches bound l2 only") }
    var pairs: [StatedPair] = []
    if let list = stated.optional("pairs") {
      for field in try list.list() {
        let pair = try StatedPair(field, graph)
        try PairCheck(graph: graph, weights: weights, pair: pair).check()
        pairs.append(pair)
      }
    }
    var stretches: [StatedStretch] = []
    for field in try stated.field("stretches").list() {
      let stretch = try StatedStretch(field, graph)
      try StretchCheck(graph: graph, weights: weights, stretch: stretch).check()
      stretches.append(stretch)
    }
    proved = graph.composed(norm, bounds, stretches: stretches, pairs: pairs)
  default: throw .refused("this version cannot check the method `\(method)`")
  }
  guard proved <= result else {
    throw .refused("the \(norm.rawValue) result \(result) is not proved, only \(proved)")
  }
  return .init(norm: norm, bound: UpperBound(proved: result), method: method)
}
