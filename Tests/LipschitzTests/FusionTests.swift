import Formats
import Lipschitz
import Model
import Rounding
import Testing
import Verification

/// A linear layer with the normalisation behind it, bounded and certified as one operator.
@Suite struct FusionTests {
  static let models: [String: String] = [
    "dense": """
        input: [7]
        layers: [{dense: 12}, batch_norm, {dense: 9}, batch_norm, group_sort: {size: 3}, {dense: 3}]
      """,
    "channels": """
        input: [2, 5, 4]
        layers:
          - conv: {filters: 6, kernel: 3, padding: 1}
          - batch_norm
          - group_sort
          - conv: {filters: 4, kernel: 3, stride: 2, padding: 1, padding_mode: circular}
          - batch_norm
      """,
    "convolutions": """
        input: [2, 6, 5]
        layers:
          - conv: {filters: 6, kernel: 3, padding: 1}
          - batch_norm
          - relu
          - conv: {filters: 4, kernel: 3, stride: 2, groups: 2, padding: 1, padding_mode: reflect}
          - batch_norm
          - max_pool: 2
          - flatten
          - dense: 6
          - relu
          - dense: 2
      """,
    "scale": "  input: [6]\n  layers: [{dense: 5}, {scale: {value: 1.5, learned: true}}, tanh]",
  ]

  private static func certified(_ name: String, seed: UInt64) throws -> CertificateText {
    var random = TestRandom(seed)
    return try CertificateText(network(models[name]!), norms: [.l2]) { name, _ in
      // Channels of very different size: the product of the norms is far off.
      if name.hasSuffix("running_var") { return Float(random.uniform() * random.uniform()) }
      return Float(random.normal())
    }
  }

  @Test(arguments: models.keys.sorted())
  func certificatesStateThePairs(name: String) throws {
    for seed in 1...6 as ClosedRange<UInt64> {
      let certificate = try Self.certified(name, seed: seed)
      let bound = certificate.json["bounds"]!.array![0]
      #expect(!bound["pairs"]!.array!.isEmpty)
      let claim = try certificate.verified().claims[0]
      let product = try #require(Double(bound["product"]!.string!))
      #expect(claim.bound.value < 0.99 * product, "\(claim.method)")
      if name == "channels" { #expect(claim.method == "fused") }
    }
  }

  /// The norm of diag(a)·W by the power method: the proved bound is above it, and near.
  @Test func aPairsBoundIsItsNorm() throws {
    var random = TestRandom(5)
    for round in 0..<40 {
      let network = try network(
        "  input: [5]\n  layers: [{dense: {units: 6, name: d}}, {batch_norm: {name: n}}]")
      let size = Float(sign: .plus, exponent: round % 5 * 30 - 60, significand: 1)
      let values = tensors(network) { name, _ in
        name.hasSuffix("running_var") ? Float(random.uniform()) : size * Float(random.normal())
      }
      func numbers(_ suffix: String) -> [Double] {
        let tensor = values.first { $0.key.hasSuffix(suffix) }!.value
        guard case .float32(let numbers) = tensor.values else { return [] }
        return numbers.map(Double.init)
      }
      let (w, scale, variance) =
        (numbers("d.weight"), numbers("n.weight"), numbers("running_var"))
      let rows = w.indices.map { w[$0] * scale[$0 / 5] / (variance[$0 / 5] + 1e-5).squareRoot() }
      var v = [Double](repeating: 1, count: 5)
      var norm = 0.0
      for _ in 0..<2000 {
        let u = (0..<6).map { i in (0..<5).reduce(0) { $0 + rows[i * 5 + $1] * v[$1] } }
        let back = (0..<5).map { j in (0..<6).reduce(0) { $0 + rows[$1 * 5 + j] * u[$1] } }
        let length = back.reduce(0) { $0 + $1 * $1 }.squareRoot()
        norm = length.squareRoot()
        v = back.map { $0 / length }
      }
      let report = try certifiedBound(network: network, weights: values, norms: [.l2])[0]
      #expect(report.upper.value >= norm * (1 - 1e-12))
      #expect(report.upper.value <= norm * (1 + 1e-6))
    }
  }

  /// With fresh hashes only the proofs are left to refuse.
  @Test(arguments: models.keys.sorted())
  func aLoweredNumberIsRefusedByItsProof(name: String) throws {
    let certificate = try Self.certified(name, seed: 3)
    let numbers = certificate.numbers.filter { $0.name != "multipliers" }
    var random = TestRandom(13)
    var scaled = 0
    for round in 0..<1200 {
      let number = numbers[round % numbers.count]
      let bit = round / numbers.count % 4 == 0 ? random.bits() % 63 : random.bits() % 52
      let lowered = Double(bitPattern: number.value.bitPattern ^ 1 << bit)
      guard lowered < number.value, lowered >= 0x1p-1000 || lowered == 0 else { continue }
      var changed = certificate
      changed.set(.string(hexadecimalText(lowered)), at: number.path)
      let isAccepted = try changed.resealed().isAccepted()
      #expect(!isAccepted || lowered > number.value * (1 - 1e-6), "\(number.path), bit \(bit)")
      if number.name == "scaled", !isAccepted { scaled += 1 }
    }
    #expect(scaled > 10)
  }

  /// Other weights are accepted only if the stated bounds hold of them too.
  @Test func changedWeightsAreRefusedByTheProof() throws {
    let network = try network(Self.models["channels"]!)
    let certificate = try Self.certified("channels", seed: 4)
    let stated = try certificate.verified().claims[0].bound.value
    var random = TestRandom(14)
    var refused = 0
    for _ in 0..<300 {
      var changed = certificate
      let tensor = Int(random.bits() % UInt64(changed.tensors.count))
      guard case .float32(var values) = changed.tensors[tensor].values else { continue }
      let place = Int(random.bits() % UInt64(values.count))
      values[place] = Float(bitPattern: values[place].bitPattern ^ 1 << UInt32(random.bits() % 31))
      let old = changed.tensors[tensor]
      guard values[place].isFinite else { continue }
      changed.tensors[tensor] = NamedTensor(
        name: old.name, shape: old.shape, values: .float32(values))
      let isAccepted = try changed.resealed().isAccepted()
      if !isAccepted { refused += 1 }
      let weights = Dictionary(uniqueKeysWithValues: changed.tensors.map { ($0.name, $0) })
      let report = try certifiedBound(network: network, weights: weights, norms: [.l2])[0]
      #expect(!isAccepted || report.upper.value <= stated * (1 + 1e-6))
    }
    #expect(refused > 50)
  }

  @Test func pairsOfOtherLayersAreRefused() throws {
    let certificate = try Self.certified("dense", seed: 1)
    let pairs = certificate.json["bounds"]!.array![0]["pairs"]!.array!
    #expect(pairs.count == 2)
    let (first, second) = (pairs[0]["nodes"]!.array!, pairs[1]["nodes"]!.array!)
    for nodes in [[first[1], first[0]], [first[0], second[1]], [first[0], first[0]], second] {
      var changed = certificate
      changed.set(
        .array(nodes),
        at: [.member("bounds"), .index(0), .member("pairs"), .index(0), .member("nodes")])
      #expect(try !changed.resealed().isAccepted())
    }
  }
}
