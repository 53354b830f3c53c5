import Foundation
import Testing

@testable import lgc

/// `lgc eval` as a process.
@Suite struct EvalTests {
  private static let description = """
    lgc: 1
    name: moons
    data: {type: synthetic, name: two_moons, samples: 200, test_samples: 100, noise: 0.1}
    model:
      input: [2]
      lipschitz: {norm: l2, bound: 1.0}
      constraint: {type: spectral}
      layers:
        - dense: {name: fc, units: 16, activation: group_sort}
        - dense: {name: logits, units: 2}
    loss: {family: cross_entropy, temperature: 0.1}
    optimizer: {type: adam, lr: 1e-2}
    train: {epochs: 10, batch: 50}
    """

  /// A folder with `model.yaml`, removed by the caller.
  private func folder(_ description: String) throws -> String {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("lgc-eval-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try Data(description.utf8).write(to: URL(fileURLWithPath: folder + "/model.yaml"))
    return folder
  }

  @Test func aRunIsEvaluatedAndLeavesItsResult() throws {
    let folder = try folder(Self.description)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let run = folder + "/run"
    let trained = try LGCProcess.run(["train", folder + "/model.yaml", "--out", run, "--quiet"])
    #expect(trained.code == 0, "\(trained.error)")
    let result = try LGCProcess.run(
      ["eval", run, "--radius", "1/10", "0.3", "--norm", "all", "--format", "json"])
    #expect(result.code == 0, "\(result.error)")
    let json = try #require(result.value as? [String: Any])
    let clean = try #require(json["accuracy"] as? Double)
    let norms = try #require(json["norms"] as? [[String: Any]])
    #expect(norms.map { $0["norm"] as? String } == ["l1", "l2", "linf"])
    for norm in norms {
      let rows = try #require(norm["radii"] as? [[String: Any]])
      #expect(rows.map { $0["radius"] as? Double } == [0.1, 0.3])
      for row in rows {
        let certified = try #require(row["certified"] as? Double)
        let attacked = try #require(row["attacked"] as? Double)
        #expect(certified <= attacked && attacked <= clean)
      }
    }
    let stored = try String(contentsOfFile: run + "/eval.json", encoding: .utf8)
    #expect(stored == result.output)
    let text = try LGCProcess.run(["eval", run, "--attack-steps", "0"])
    #expect(text.output.contains("accuracy ") && text.output.contains("certified"))
  }

  @Test func whatCannotBeEvaluatedIsSaid() throws {
    let folder = try folder(
      "lgc: 1\nname: bare\nmodel: {input: [2], layers: [dense: {name: a, units: 2}]}\n")
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let bare = try LGCProcess.run(["eval", folder + "/model.yaml"])
    #expect(bare.code == 2 && bare.error.contains("is a description without weights"))
    let empty = try LGCProcess.run(["eval", folder])
    #expect(empty.code == 2 && empty.error.contains("no finished run"))
    let radius = try LGCProcess.run(["eval", "--radius", "-1"])
    #expect(radius.code == 64)
  }
}
