import Formats
import Lipschitz
import Model
import Rounding
import Testing

@Suite struct CertificateTests {
  private static let model = """
      input: [5]
      layers:
        - dense: {units: 6, name: first}
        - relu
        - residual: {mode: convex, weight: 0.5, layers: [{dense: {units: 6, name: inner}}, tanh]}
        - dense: {units: 2, name: last}
    """

  private func certified() throws -> (weights: NetworkWeights, text: String) {
    let network = try network(Self.model)
    var random = TestRandom(8)
    let weights = try NetworkWeights(
      network, tensors: tensors(network) { _, _ in Float(random.normal()) })
    let reports = try certifiedBound(weights, norms: Norm.allCases)
    return (weights, Certificate(weights, reports: reports).text)
  }

  @Test func aCertificateHoldsForItsOwnWeights() throws {
    let (weights, text) = try certified()
    #expect(Certificate.problems(Array(text.utf8), with: weights) == [])
    let json = try JSON(Array(text.utf8))
    #expect(json["format"]?.string == "lgc-cert-1")
    #expect(json["weights"]?["first.weight"]?.string?.count == 64)
  }

  @Test func everyNumberThatIsLoweredIsNoticed() throws {
    let (weights, text) = try certified()
    // Each hexadecimal float of a bound in turn, made a millionth smaller.
    let parts = text.split(separator: "\"", omittingEmptySubsequences: false)
    var lowered = 0
    for (index, part) in parts.enumerated() where part.hasPrefix("0x") {
      let key = parts[index - 2]
      guard ["bound", "product", "result"].contains(key), let value = Double(part), value > 0
      else { continue }
      // The product is only a comparison where another method gives the result.
      var changed = parts
      let less = "\(value * (1 - 1e-6))"
      changed[index] = Substring(less)
      let problems = Certificate.problems(
        Array(changed.joined(separator: "\"").utf8), with: weights)
      #expect(!problems.isEmpty, "\(key) \(part)")
      lowered += 1
    }
    #expect(lowered >= 3 * 6)
  }

  @Test func otherWeightsAndOtherNetworksAreNoticed() throws {
    let (weights, text) = try certified()
    let other = try network(Self.model)
    var values = tensors(other) { _, index in Float(index) }
    let changed = try NetworkWeights(other, tensors: values)
    #expect(Certificate.problems(Array(text.utf8), with: changed).count == 6)
    let wider = try network(Self.model.replacing("relu", with: "group_sort"))
    values = tensors(wider) { _, _ in 0.25 }
    let problems = Certificate.problems(
      Array(text.utf8), with: try NetworkWeights(wider, tensors: values))
    #expect(problems.contains { $0.contains("graph") })
    #expect(Certificate.problems(Array("{}".utf8), with: weights) == [
      "not of the format lgc-cert-1"
    ])
  }

}
