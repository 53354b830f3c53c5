import Diagnostics
import Formats
import Model
import Rounding
import Tensors
import Testing
import Verification

@testable import Lipschitz

/// The checker on convolutions of random geometry, with every kind of evidence.
@Suite struct ConvolutionVerificationTests {
  /// A certificate of one operator, as the checker reads it.
  private static func isAccepted(
    _ convolution: RandomConvolution, isTransposed: Bool, _ norm: Norm, _ bound: Double,
    _ evidence: OperatorEvidence
  ) throws -> Bool {
    let geometry = convolution.geometry
    let tensor = NamedTensor(
      name: "c.weight", shape: geometry.weightShape, values: .float32(convolution.weight))
    let linear: LinearOperator = isTransposed
      ? .transposedConvolution(weight: "weight", geometry)
      : .convolution(weight: "weight", geometry)
    let shapes = isTransposed
      ? (geometry.outputShape, geometry.inputShape) : (geometry.inputShape, geometry.outputShape)
    let text = hexadecimalText(bound)
    let json = JSONValue.object([
      (key: "format", value: .string(certificateFormat)), (key: "name", value: "test"),
      (key: "description", value: ""),
      (key: "graph", value: .object([
        (key: "input", value: .array(shapes.0.map(JSONValue.int))),
        (key: "nodes", value: .array([
          .object([
            (key: "name", value: "c"), (key: "inputs", value: .array([.null])),
            (key: "shape", value: .array(shapes.1.map(JSONValue.int))),
            (key: "operation", value: linear.json { "c.\($0)" }),
          ])
        ])),
        (key: "output", value: "c"),
      ])),
      (key: "weights", value: .object([(key: "c.weight", value: "")])),
      (key: "bounds", value: .array([
        .object([
          (key: "norm", value: .string(norm.rawValue)),
          (key: "operators", value: .array([
            .object([
              (key: "node", value: "c"), (key: "bound", value: .string(text)),
              (key: "evidence", value: evidence.json),
            ])
          ])),
          (key: "product", value: .string(text)), (key: "method", value: "product"),
          (key: "stretches", value: .array([])), (key: "result", value: .string(text)),
        ])
      ])),
    ])
    var certificate = CertificateText(
      json: try JSON(Array(json.text.utf8)), tensors: [tensor])
    certificate = try certificate.resealed()
    return try certificate.isAccepted()
  }

  @Test(arguments: 0..<8)
  func whatIsProvedIsAcceptedAndWhatIsFalseRefused(batch: Int) throws {
    var random = TestRandom(UInt64(900 + batch))
    var kinds: Set<String> = []
    for round in 0..<25 {
      let convolution = RandomConvolution(&random, limit: 60)
      let isTransposed = round % 4 == 0
      for norm in Norm.allCases {
        var bounds = [
          try convolutionBound(
            convolution.weight, convolution.geometry, norm: norm, isTransposed: isTransposed)
        ]
        if norm == .l2, bounds[0].upper.value > 0 {
          let proof = ConvolutionProof(
            convolution.weight, ConvolutionMap(convolution.geometry))
          for way in [ConvolutionProof<Float>.Way.banded, .kernel, .torus, .cover, .interpolation] {
            bounds.append(
              try LinearAlgebra.withProofArithmetic { () throws(ProofError) in
                try proof.bound(way)
              })
          }
        }
        let least = bounds.compactMap { $0.lower?.value }.max() ?? 0
        for bound in bounds where bound.upper.isFinite {
          kinds.insert(bound.method.rawValue)
          #expect(
            try Self.isAccepted(
              convolution, isTransposed: isTransposed, norm, bound.upper.value, bound.evidence),
            "\(norm) \(bound.method) \(convolution.name)")
          // Some slope is at least `least`, so a millionth less is no bound.
          guard least > 0x1p-1000 else { continue }
          #expect(
            try !Self.isAccepted(
              convolution, isTransposed: isTransposed, norm, least * (1 - 1e-6), bound.evidence),
            "false: \(norm) \(bound.method) \(convolution.name)")
        }
      }
    }
    #expect(kinds.count >= 6, "\(kinds)")
  }

  /// A torus on which taps wrap onto elements, fewer cells than cover the plane.
  @Test func aTorusTooSmallAndACoverWithHolesAreRefused() throws {
    var random = TestRandom(77)
    var checked = 0
    for _ in 0..<60 {
      let convolution = RandomConvolution(&random, limit: 60, padding: .zeros)
      guard convolution.geometry.groups == 1, convolution.weight.contains(where: { $0 != 0 })
      else { continue }
      let proof = ConvolutionProof(convolution.weight, ConvolutionMap(convolution.geometry))
      let (torus, cover) = try LinearAlgebra.withProofArithmetic { () throws(ProofError) in
        (try proof.bound(.torus), try proof.bound(.cover))
      }
      if case .torus(let sides, let twists) = torus.evidence, sides.contains(where: { $0 > 3 }) {
        let smaller = sides.map { $0 > 3 ? 1 : $0 }
        #expect(
          try !Self.isAccepted(
            convolution, isTransposed: false, .l2, torus.upper.value * 2,
            .torus(sides: smaller, twists: twists)), "\(convolution.name)")
        checked += 1
      }
      if case .frequencyCover(let root, let bits) = cover.evidence, bits.count > 1 {
        for changed in [String(bits.dropLast()), bits + "1", "0" + bits, "2" + bits.dropFirst()] {
          #expect(
            try !Self.isAccepted(
              convolution, isTransposed: false, .l2, cover.upper.value,
              .frequencyCover(root: root, bits: changed)), "\(convolution.name)")
        }
        #expect(
          try !Self.isAccepted(
            convolution, isTransposed: false, .l2, cover.upper.value * 0.9,
            .frequencyCover(root: root, bits: bits)))
        checked += 1
      }
    }
    #expect(checked > 20)
  }
}
