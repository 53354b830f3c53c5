import Diagnostics
import Formats
import Foundation
import Testing

@testable import lgc

/// `lgc bound` as a process, on weights made here.
@Suite struct BoundTests {
  private static let description = """
    lgc: 1
    name: two
    data: {type: fashion_mnist, range: [0, 1], standardize: {mean: 0.5, deviation: 0.25}}
    model:
      input: [2]
      layers:
        - dense: {name: a, units: 2, bias: false}
        - relu
        - dense: {name: b, units: 2, bias: false}
    """

  /// ‖a‖₂ = 5, ‖b‖₂ = 2.
  private static let matrices: [String: [Float]] = [
    "a.weight": [3, 4, 0, 0], "b.weight": [2, 0, 0, 1],
  ]

  /// Runs `lgc bound` in a folder with `model.yaml` and `weights.safetensors`.
  private func run(
    _ arguments: [String], description: String = Self.description,
    matrices: [String: [Float]] = Self.matrices
  ) throws -> (result: LGCProcess.Result, folder: URL) {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("lgc-bound-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let model = folder.appendingPathComponent("model.yaml").path
    let weights = folder.appendingPathComponent("weights.safetensors").path
    try Data(description.utf8).write(to: URL(fileURLWithPath: model))
    let tensors = matrices.keys.sorted().map {
      NamedTensor(name: $0, shape: [2, 2], values: .float32(matrices[$0]!))
    }
    try SafeTensors.write(tensors, metadata: [:], to: weights)
    let result = try LGCProcess.run(
      ["bound"] + arguments.map {
        $0.replacingOccurrences(of: "MODEL", with: model)
          .replacingOccurrences(of: "WEIGHTS", with: weights)
          .replacingOccurrences(of: "FOLDER", with: folder.path)
      })
    return (result, folder)
  }

  @Test func jsonHasTheKeysAndTypesOfTheContract() throws {
    let (result, _) = try run(["MODEL", "--weights", "WEIGHTS", "--format", "json"])
    #expect(result.code == 0)
    let value = try #require(result.value as? [String: Any])
    #expect(Set(value.keys) == [
      "lgc", "norm", "upper", "domain", "lower", "product", "method", "methods", "per_raw_unit",
      "layers", "residual_blocks", "seconds",
    ])
    let upper = try #require(value["upper"] as? Double)
    let lower = try #require(value["lower"] as? Double)
    #expect(upper >= 10 && upper < 10 * (1 + 1e-6))
    // The steepest direction of a is the one that b doubles: the bound is attained.
    #expect(lower <= 10 && lower > 9.99)
    // A byte is 1/255 of the range, which standardising stretches by 4.
    let perByte = try #require(value["per_raw_unit"] as? Double)
    #expect(perByte >= 40.0 / 255 && perByte < 40.0 / 255 * (1 + 1e-6))
    let layers = try #require(value["layers"] as? [[String: Any]])
    #expect(layers.map { $0["name"] as? String } == ["a", "relu_1", "b"])
    #expect(layers.allSatisfy {
      Set($0.keys) == ["name", "kind", "upper", "lower", "method"]
    })
  }

  @Test func textSaysWhatIsProvedAndWhatIsAnEstimate() throws {
    let (result, _) = try run(["MODEL", "--weights", "WEIGHTS", "--norm", "linf"])
    #expect(result.code == 0)
    // |b||a|1 = 2 · 7; the largest row sums are 7 and 2.
    #expect(result.output.split(separator: "\n").contains {
      $0.hasPrefix("bound ") && $0.hasSuffix(" 14  proved, product")
    })
    #expect(result.output.contains("estimate of tightness"))
    #expect(result.output.contains("row sums"))
  }

  @Test func aRunDirectoryIsEnough() throws {
    let (_, folder) = try run(["MODEL", "--weights", "WEIGHTS"])
    let files = FileManager.default
    try files.moveItem(
      at: folder.appendingPathComponent("model.yaml"),
      to: folder.appendingPathComponent("description.yaml"))
    let result = try LGCProcess.run(["bound", folder.path])
    #expect(result.code == 0)
  }

  @Test func theCertificateIsWrittenWhole() throws {
    let (result, folder) = try run([
      "MODEL", "--weights", "WEIGHTS", "--norm", "all", "--certificate", "FOLDER/bound.json",
    ])
    #expect(result.code == 0)
    let bytes = [UInt8](try Data(contentsOf: folder.appendingPathComponent("bound.json")))
    let json = try JSON(bytes)
    #expect(json["format"]?.string == "lgc-cert-2")
    #expect(json["bounds"]?.array?.count == 3)
  }

  @Test func theWitnessOfTheSlopeIsWritten() throws {
    let (result, folder) = try run([
      "MODEL", "--weights", "WEIGHTS", "--norm", "all", "--witness", "FOLDER/pair.safetensors",
    ])
    #expect(result.code == 0)
    let pairs = try SafeTensors.read(folder.appendingPathComponent("pair.safetensors").path)
    #expect(Set(pairs.map(\.name)) == ["l1.a", "l1.b", "l2.a", "l2.b", "linf.a", "linf.b"])
    #expect(Set(pairs.map(\.shape)).count == 1)
    for norm in ["l1", "l2", "linf"] {
      let ends = pairs.filter { $0.name.hasPrefix(norm + ".") }
      guard case .float32(let a) = ends[0].values, case .float32(let b) = ends[1].values else {
        Issue.record("not float32")
        continue
      }
      #expect(a != b)
    }
  }

  @Test func weightsThatCannotBeUsedEndWithTwoAndTheirName() throws {
    var matrices = Self.matrices
    matrices["b.weight"]![2] = .nan
    let (result, _) = try run(["MODEL", "--weights", "WEIGHTS"], matrices: matrices)
    #expect(result.code == 2)
    #expect(result.output == "")
    #expect(result.error.contains("weight b.weight[1, 0] is nan"))
    matrices["b.weight"] = nil
    let (missing, _) = try run(["MODEL", "--weights", "WEIGHTS"], matrices: matrices)
    #expect(missing.code == 2)
    #expect(missing.error.contains("there is no tensor b.weight (2×2)"))
  }

  @Test func aTargetThatIsNotMetEndsWithOne() throws {
    let (result, _) = try run(
      ["MODEL", "--weights", "WEIGHTS"],
      description: Self.description + "\ntargets: [{lipschitz: {norm: l2, bound: 9}}]")
    #expect(result.code == 1)
    #expect(result.error.contains("target not met"))
    #expect(result.output.contains("not met"))
  }

  @Test func aDescriptionAloneAsksForWeights() throws {
    let (result, _) = try run(["MODEL"])
    #expect(result.code == 2)
    #expect(result.error.contains("--weights"))
  }

  @Test func aFolderWithoutWeightsIsNoFinishedRun() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("lgc-unfinished-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let result = try LGCProcess.run(["bound", folder.path])
    #expect(result.code == 2)
    #expect(result.error.contains("error[L0604]"))
  }

  @Test func aMissingWeightsFileIsAReadingError() throws {
    let (result, _) = try run(["MODEL", "--weights", "FOLDER/nothing.safetensors"])
    #expect(result.code == 2)
    #expect(result.error.contains("error[L0601]"))
  }
}
