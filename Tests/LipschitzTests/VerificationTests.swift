import Formats
import Lipschitz
import Model
import Rounding
import Testing
import Verification

@Suite struct VerificationTests {
  private static let small = """
      input: [5]
      layers:
        - dense: {units: 6, name: first}
        - relu
        - residual: {mode: convex, weight: 0.5, layers: [{dense: {units: 6, name: inner}}, tanh]}
        - dense: {units: 2, name: last}
    """

  private static func certified(
    _ model: String = small, norms: [Norm] = Norm.allCases, seed: UInt64 = 8
  ) throws -> CertificateText {
    var random = TestRandom(seed)
    return try CertificateText(network(model), norms: norms) { name, _ in
      Float(name.hasSuffix("running_var") ? random.uniform() : random.normal())
    }
  }

  static let models: [String: String] = [
    "small": small,
    "one layer": "  input: [3]\n  layers: [{dense: 4}]",
    "vectors": "  input: [7]\n  layers: [{dense: 1}, {dense: 9}]",
    "every operation": """
        input: [8]
        layers:
          - reshape: {shape: [2, 4]}
          - flatten
          - scale: {value: 1.5, learned: true}
          - scale: {value: -0.25}
          - group_sort
          - dense: 8
          - abs
          - leaky_relu
          - sigmoid
          - softplus
          - dropout: 0.5
          - residual: {mode: sum, weight: 0.7, layers: [{dense: 8}, relu]}
          - residual:
              mode: sum
              layers: [{dense: 8}, {residual: {layers: [{dense: 8}, tanh]}}]
          - dense: 3
      """,
    "convolutions": """
        input: [3, 9, 8]
        layers:
          - conv: {filters: 4, kernel: 3, padding: 1}
          - batch_norm
          - relu
          - conv: {filters: 6, kernel: 3, stride: 2, groups: 2, padding: 1, padding_mode: reflect}
          - gelu
          - conv: {filters: 4, kernel: [3, 1], padding: [2, 1], padding_mode: circular}
          - average_pool: {kernel: 3, stride: 2, padding: 1}
          - upsample: {scale: 2, mode: bilinear}
          - conv_transpose: {filters: 2, kernel: 2}
          - layer_norm: {eps: 0.5}
          - max_pool: 2
          - residual: {mode: sum, layers: [{conv: {filters: 2, kernel: 3, padding: 1}}, relu]}
          - flatten
          - dense: 5
      """,
    "patches": """
        input: [1, 12, 12]
        layers:
          - pad: {padding: 2, mode: replicate}
          - conv: {filters: 7, kernel: 4, stride: 4}
          - leaky_relu
          - conv: {filters: 3, kernel: 2, dilation: 2, padding: 1, padding_mode: replicate}
          - global_average_pool
          - dense: 4
      """,
    "one axis": """
        input: [2, 15]
        layers:
          - conv: {filters: 3, kernel: 5, stride: 2, padding: 2}
          - relu
          - conv_transpose: {filters: 2, kernel: 3, dilation: 2}
          - upsample: 2
          - global_max_pool
      """,
    "normalised": """
        input: [6]
        layers:
          - {dense: 12}
          - batch_norm
          - relu
          - {dense: 9}
          - batch_norm
          - leaky_relu
          - {dense: 3}
      """,
    "relu blocks": """
        input: [6]
        layers:
          - {dense: 9}
          - relu
          - residual: {mode: sum, layers: [{dense: 7}, relu, {dense: 9}]}
          - residual: {mode: sum, weight: 0.3, layers: [{dense: 5}, relu, {dense: 9}]}
          - {dense: 3}
      """,
    "bounded inputs": """
        input: [3, 5, 1]
        layers:
          - sigmoid
          - conv: {filters: 4, kernel: [2, 1]}
          - relu
          - reshape: [4, 4]
          - attention: {heads: 2}
          - layer_norm: {eps: 0.5}
          - attention
          - sll: {units: 3, kernel: 3}
          - flatten
          - dense: 2
      """,
    "a domain": "  input: [4, 3]\n  layers: [relu, {attention: {heads: 2}}]\n"
      + "data: {type: synthetic, range: [-0.5, 1]}",
    "tall and wide": "  input: [130]\n  layers: [{dense: 70}, relu, {dense: 150}, relu, {dense: 4}]",
  ]

  @Test(arguments: models.keys.sorted())
  func whatIsProvedIsAccepted(name: String) throws {
    for seed in 1...4 as ClosedRange<UInt64> {
      let certificate = try Self.certified(Self.models[name]!, seed: seed)
      let verification = try certificate.verified()
      #expect(verification.claims.map(\.norm) == Norm.allCases)
      for claim in verification.claims { #expect(claim.bound.isFinite) }
      #expect(verification.tensors == certificate.tensors.count)
    }
  }

  /// A bound that holds on a domain says so, and a changed domain is another network.
  @Test func theDomainOfABoundIsPartOfItsCertificate() throws {
    let certificate = try Self.certified(Self.models["a domain"]!)
    #expect(try certificate.verified().domain == -0.5...1)
    for name in ["small", "bounded inputs"] {
      #expect(try Self.certified(Self.models[name]!).verified().domain == nil)
    }
    let network = try network(Self.models["a domain"]!)
    let other = try LipschitzTests.network(
      Self.models["a domain"]!.replacing("[-0.5, 1]", with: "[-0.5, 2]"))
    #expect(Certificate.description(of: network) != Certificate.description(of: other))
  }

  /// The constant is recomputed where a layer is applied again to larger numbers.
  @Test func aSharedLayerOnBoundedInputsHasAConstantForEachRound() throws {
    let network = try network(
      "  input: [2, 2]\n  layers: [tanh, {repeat: {times: 3, shared: true, layers: [attention]}}]")
    let weights = try NetworkWeights(network, tensors: tensors(network) { _, index in
      Float(1 + index % 3)
    })
    let report = try certifiedBound(weights, norms: [.linf])[0]
    let bounds = report.layers.dropFirst().map(\.bound.upper.value)
    #expect(bounds.count == 3)
    #expect(bounds.dropFirst().allSatisfy { !$0.isFinite } || bounds == bounds.sorted())
  }

  @Test func weightsOfEverySizeAreAccepted() throws {
    // Zeros, one huge, denormal and float64 numbers.
    let network = try network(Self.small)
    for scale: Float in [0, 1e-40, 1e30, 1] {
      var random = TestRandom(3)
      let certificate = try CertificateText(network) { _, _ in scale * Float(random.normal()) }
      _ = try certificate.verified()
    }
    var random = TestRandom(4)
    let doubles = tensors(network) { _, _ in 0 }.mapValues { tensor in
      NamedTensor(
        name: tensor.name, shape: tensor.shape,
        values: .float64((0..<tensor.values.count).map { _ in random.normal() / 3 }))
    }
    let weights = try NetworkWeights(network, tensors: doubles)
    let reports = try certifiedBound(weights, norms: Norm.allCases)
    _ = try CertificateText(weights, reports: reports, tensors: Array(doubles.values)).verified()
  }

  // MARK: single bits

  @Test func everySingleBitOfTheTextIsNoticed() throws {
    let certificate = try Self.certified()
    let bytes = certificate.bytes
    var random = TestRandom(11)
    for _ in 0..<1500 {
      var changed = bytes
      changed[Int(random.bits() % UInt64(bytes.count))] ^= 1 << UInt8(random.bits() % 8)
      #expect(throws: VerificationError.self) {
        try verify(certificate: changed, weights: certificate.tensors)
      }
    }
  }

  @Test func everySingleBitOfTheWeightsIsNoticed() throws {
    let certificate = try Self.certified()
    var random = TestRandom(12)
    for _ in 0..<1000 {
      var changed = certificate
      let (name, _) = changed.flipWeight(&random)
      #expect { _ = try changed.verified() } throws: { error in
        (error as? VerificationError)?.place == name
      }
    }
  }

  /// With fresh hashes only the proofs are left to refuse.
  @Test func aLoweredNumberIsRefusedByItsProof() throws {
    let certificate = try Self.certified()
    // Other multipliers that pass the check prove the same claim.
    let numbers = certificate.numbers.filter { $0.name != "multipliers" }
    #expect(numbers.count >= 3 * 8)
    var random = TestRandom(13)
    var counts: [String: Int] = [:]
    for round in 0..<2600 {
      let number = numbers[round % numbers.count]
      let bit = round / numbers.count % 4 == 0 ? random.bits() % 63 : random.bits() % 52
      let lowered = Double(bitPattern: number.value.bitPattern ^ 1 << bit)
      guard lowered < number.value, lowered >= 0x1p-1000 || lowered == 0 else { continue }
      var changed = certificate
      changed.set(.string(hexadecimalText(lowered)), at: number.path)
      let isAccepted = try changed.resealed().isAccepted()
      let bound = certificate.json["bounds"]!.array![number.bound]
      if number.name == "product" || number.name == "result" && bound["method"] == .string("product")
      {
        // Recomputed exactly: not even the last bit may be lower.
        #expect(!isAccepted, "\(number.path) \(number.value) → \(lowered)")
      } else {
        // A bound is proved with a slack of about 10⁻⁸: what is accepted is still true.
        #expect(!isAccepted || lowered > number.value * (1 - 1e-6), "\(number.path), bit \(bit)")
      }
      counts[number.name, default: 0] += 1
    }
    #expect(counts["bound", default: 0] > 300 && counts["result", default: 0] > 50)
    #expect(counts.values.reduce(0, +) > 700)
  }

  /// With fresh hashes other weights are accepted only if the stated bounds hold of them too.
  @Test func changedWeightsAreRefusedByTheProof() throws {
    let network = try network(Self.small)
    let certificate = try Self.certified()
    let stated = try certificate.verified()
    var random = TestRandom(14)
    var refused = 0
    for _ in 0..<600 {
      var changed = certificate
      guard changed.flipWeight(&random).isFinite else { continue }
      let isAccepted = try changed.resealed().isAccepted()
      if !isAccepted { refused += 1 }
      let reports = try certifiedBound(
        network: network,
        weights: Dictionary(uniqueKeysWithValues: changed.tensors.map { ($0.name, $0) }),
        norms: Norm.allCases)
      for (report, claim) in zip(reports, stated.claims) where isAccepted {
        // What lgc proves of the new weights has a slack itself; that of a search is larger.
        let slack = claim.method == "joint" || claim.method == "fast" ? 1.02 : 1 + 1e-6
        #expect(report.upper.value <= claim.bound.value * slack)
      }
      for (layer, operation) in zip(reports[1].layers, 0...) {
        let bound = certificate.json["bounds"]!.array![1]["operators"]!.array![operation]
        let limit = Double(bound["bound"]!.string!)!
        if let lower = layer.bound.lower, lower.value > limit { #expect(!isAccepted) }
      }
    }
    #expect(refused > 100)
  }

  @Test func otherConstantsAreAnotherNetwork() throws {
    let certificate = try Self.certified()
    var changed = certificate
    changed.set(
      .string("0x1p-1"),
      at: [
        .member("graph"), .member("nodes"), .index(1), .member("operation"), .member("slopes"),
        .index(1),
      ])
    #expect(throws: VerificationError.self) { try changed.verified() }
    let original = try certificate.verified().description
    #expect(original == Certificate.description(of: try network(Self.small)))
    // Even as a certificate of that other network it is not one of this.
    let sealed = try changed.resealed()
    #expect(throws: VerificationError.self) {
      try verify(certificate: sealed.bytes, weights: sealed.tensors, descriptions: [original])
    }
  }

  // MARK: garbled files

  @Test func cutOffTextIsNoCertificate() throws {
    let certificate = try Self.certified()
    let bytes = certificate.bytes
    for length in stride(from: 0, to: bytes.count, by: 7) {
      #expect(throws: VerificationError.self) {
        try verify(certificate: Array(bytes[..<length]), weights: certificate.tensors)
      }
    }
  }

  /// Values of the wrong kind, wild numbers and missing members, sealed: an error, never a trap.
  @Test func nonsenseIsAnError() throws {
    let certificate = try Self.certified("  input: [3]\n  layers: [{dense: 4}, relu, {scale: 2}]")
    var paths: [[CertificateText.Step]] = []
    func visit(_ json: JSON, _ path: [CertificateText.Step]) {
      paths.append(path)
      for (index, value) in (json.array ?? []).enumerated() { visit(value, path + [.index(index)]) }
      for member in json.members ?? [] { visit(member.value, path + [.member(member.name)]) }
    }
    visit(certificate.json, [])
    let nonsense: [JSON] = [
      .null, .bool(true), .number("-1"), .number("9223372036854775807"), .number("1e400"),
      .string(""), .string("0x1p+1023"), .string("-0x1p+0"), .string("nan"), .array([]),
      .object([]), .number("4611686018427387904"), .string("0x0p+0"),
    ]
    var accepted: Set<String> = []
    for path in paths {
      for value in nonsense {
        var changed = certificate
        changed.set(value, at: path)
        if path.isEmpty { continue }
        do {
          let hasParts = changed.json["weights"]?.members != nil
          let sealed = hasParts ? try changed.resealed() : changed
          if try sealed.verified().claims.contains(where: { $0.bound.value < 1e300 }) {
            accepted.insert(path.map { "\($0)" }.joined(separator: "/"))
          }
        } catch is VerificationError {}
      }
    }
    // Accepted is what makes no claim stronger: words for people, larger bounds, other networks.
    for path in accepted {
      let last = path.split(separator: "\"").dropLast().last.map(String.init) ?? ""
      #expect(!["format", "norm", "method", "operators", "bounds", "graph"].contains(last), "\(path)")
    }
    #expect(accepted.count < paths.count / 2)
  }

  @Test func otherFilesAreNamedForWhatTheyAre() throws {
    func message(_ text: String) -> String {
      do throws(VerificationError) {
        _ = try verify(certificate: Array(text.utf8), weights: [])
        return ""
      } catch { return error.message }
    }
    #expect(message("") == "the certificate is not JSON: expected a value at byte 0")
    #expect(message("[]") == "the certificate is not a JSON object")
    #expect(message("{}") == "the certificate has no `format`")
    #expect(
      message(#"{"format": "lgc-cert-1"}"#)
        == "the certificate is of the format lgc-cert-1, not lgc-cert-2")
    let certificate = try Self.certified()
    #expect(throws: VerificationError.refused(
      "the weights file has no such tensor", at: "first.weight")
    ) { try verify(certificate: certificate.bytes, weights: []) }
  }
}

extension CertificateText {
  /// One random bit of one random weight; its tensor, and whether the number is finite.
  fileprivate mutating func flipWeight(
    _ random: inout TestRandom
  ) -> (name: String, isFinite: Bool) {
    let index = Int(random.bits() % UInt64(tensors.count))
    guard case .float32(var values) = tensors[index].values else { fatalError() }
    let place = Int(random.bits() % UInt64(values.count))
    values[place] = Float(
      bitPattern: values[place].bitPattern ^ 1 << UInt32(random.bits() % 32))
    tensors[index].values = .float32(values)
    return (tensors[index].name, values[place].isFinite)
  }
}
