import Diagnostics
import Foundation
import FrontEndTestSupport
import Model
import Testing
import YAML

@testable import lgc

/// The schema accepts what lgc accepts, and refuses the mistakes that a schema can see.
@Suite struct SchemaTests {
  private func instance(_ text: String) throws -> Any {
    let (root, _) = parse(SourceFile(path: "x.yaml", text: text))
    return SchemaValidator.instance(try #require(root))
  }

  private func isAccepted(_ text: String) -> Bool {
    loadExperiment(SourceFile(path: "x.yaml", text: text), catalogs: everyKind, directory: ".")
      .experiment != nil
  }

  private static let models: [String] = {
    let folder = ReadmeTests.root.appendingPathComponent("models")
    let names = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String }
    let accepted = ["every_section", "every_section_otherwise"].map {
      "../Tests/Fixtures/accepted/\($0).yaml"
    }
    return (names ?? []).filter { $0.hasSuffix(".yaml") }.sorted() + accepted
  }()

  @Test(arguments: models) func everyModelIsOfTheSchema(_ name: String) throws {
    let text = try String(
      contentsOf: ReadmeTests.root.appendingPathComponent("models/\(name)"), encoding: .utf8)
    #expect(try SchemaValidator(LanguageTexts.schema).accepts(instance(text)))
  }

  @Test func whatLgcAcceptsTheSchemaAccepts() throws {
    let validator = try SchemaValidator(LanguageTexts.schema)
    let accepted = seeds.filter(isAccepted)
    #expect(accepted.count >= 200)
    for text in accepted { #expect(try validator.accepts(instance(text)), "\(text)") }
    for text in Self.sound {
      #expect(isAccepted(text), "\(text)")
      #expect(try validator.accepts(instance(text)), "\(text)")
    }
    // A child leaves to its parent what it does not change.
    for text in [
      "lgc: 1\nmodel: {lipschitz: 2}\ndata: {noise: 1}\nloss:\n", "data: {type: csv, header: false}\n",
      "model: {lipschitz: {norm: l1}, constraint: {type: clip}}\n", "loss: {family: f_gan}\n",
      "models: {generator: {input: {noise: uniform}}}\n", "data: {standardize: {mean: 0}}\n",
    ] {
      #expect(try validator.accepts(instance("extends: a.yaml\n" + text)), "\(text)")
    }
  }

  private static let head = "lgc: 1\nname: a\n"
  private static func model(_ layers: String) -> String {
    head + "model: {input: [4], layers: [\(layers)]}\n"
  }
  private static let plain = model("dense: 4")

  static let sound = [
    model("{residual: {layers: [dense: 4], mode: convex, weight: 1/2}}"),
    model("{residual: {layers: [dense: 3], shortcut: {layers: [dense: 3]}, activation: relu}}"),
    model("{dense: {units: 4, residual: true}}, {dense: {units: 4, residual: {mode: sum}}}"),
    model("{repeat: {times: 3, shared: true, layers: [dense: 4]}}"),
    model("{parallel: {branches: [[relu], []], combine: weighted, weights: [0.5, 0.5]}}"),
    model("{dense: {name: a, units: 4}}, relu, {add: {from: [a, relu_1]}}"),
    head + "vars: {w: 4, on: false}\nmodel: {input: [$w], layers: [dense: {units: $w, bias: $on}]}\n",
    plain + "train: {checkpoint: false}\n", plain + "train: {checkpoint: {every: 2 epochs, keep: 3}}\n",
    plain + "train: {checkpoint: 500}\ndata: {type: synthetic, validation: 0.1}\n",
    plain + "train: {stop_when: validation_loss}\ndata: {type: synthetic, validation: {count: 9}}\n",
    plain + "optimizer: {lr: 1e-3, clip_gradient: {value: 1}, schedule: {type: step, milestones: [0.5, 9]}}\n",
    head + "model: {input: [1, 6, 6], layers: [flatten]}\ndata: {type: idx, images: a, labels: b, "
      + "augment: [flip, {crop: 2}]}\n",
  ]

  /// What stands in blocks and sections is checked too.
  @Test(arguments: [
    plain + "data: {type: csv, header: false}\n", plain + "data: {path: a.csv}\n",
    head + "model: {input: [4], lipschitz: {norm: l1}, layers: [dense: 4]}\n",
    head + "model: {input: [4], lipschitz: 1, constraint: {type: clip}, layers: [dense: 4]}\n",
    head + "model: {input: [4], lipschitz: 1, constraint: {}, layers: [dense: 4]}\n",
    model("{dense: {units: 4, lipschitz: {norm: l2}}}"),
    model("{dense: {units: 4, lipschitz: 1, constraint: {type: clip}}}"),
    model("{dense: {units: 4, lipschitz: 1, constraint: {}}}"),
    model("{residual: {layer: [dense: 4]}}"), model("{residual: {layers: [desne: 4]}}"),
    model("{residual: {layers: [dense: 4], mode: product}}"), model("{residual: {mode: sum}}"),
    model("{residual: {layers: [dense: 4], shortcut: {layer: []}}}"),
    model("{repeat: {times: 0, layers: [relu]}}"), model("{repeat: {layers: [relu]}}"),
    model("{repeat: {times: 2, shard: true, layers: [relu]}}"),
    model("{parallel: {branches: [[relu]]}}"), model("{parallel: {branches: [[rleu], []]}}"),
    model("{parallel: {branches: [[], []], combine: product}}"), model("{parallel: {combine: sum}}"),
    model("{dense: {units: 4, residual: product}}"), model("{relu: {from: [1]}}"),
    model("{dense: {unit: 4}}"), model("{dense: {units: -4}}"), model("{dense: {units: 4, bias: 1}}"),
    plain + "train: {checkpoint: {evry: 1}}\n", plain + "train: {checkpoint: often}\n",
    plain + "train: {stop_when: {metric: lss}}\n", plain + "train: {stop_when: {patience: 0}}\n",
    plain + "data: {type: synthetic, validation: {shre: 0.1}}\n",
    plain + "data: {type: synthetic, validation: -1}\n",
    plain + "data: {type: synthetic, augment: [flp]}\n", plain + "data: {type: synthetic, augment: flip}\n",
    plain + "optimizer: {clip_gradient: {nrm: 1}}\n", plain + "optimizer: {schedule: {type: stp}}\n",
    head + "model: {input: [4, 4, 4, 4], layers: [relu]}\n", head + "model: {input: x, layers: [relu]}\n",
    head + "model: {layers: [relu]}\n", "name: a\nmodel: {input: [4], layers: [relu]}\n", head,
    head + "models: {generator: {input: [4], layers: [dense: 3]}, critic: {input: [3], layers: [dense: 1]}}\n",
  ])
  func whatTheSchemaRefusesLgcRefuses(_ text: String) throws {
    #expect(!isAccepted(text))
    #expect(try !SchemaValidator(LanguageTexts.schema).accepts(instance(text)))
  }
}
