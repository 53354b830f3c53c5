import Foundation
import Testing

@testable import lgc

/// `lgc check` as a process: streams, exit codes, formats, colour.
@Suite struct CheckTests {
  static let sound = """
    lgc: 1
    name: tiny
    model:
      input: [2, 3]
      lipschitz: 1
      constraint: spectral
      layers:
        - flatten
        - dense: {name: fc1, units: 4, activation: relu}
        - dense: {name: logits, units: 2}
    targets:
      - lipschitz: {norm: l2, bound: 1}
      - accuracy: {at_least: 0.5}
    """

  @Test func aSoundDescriptionPrintsItsTable() throws {
    let result = try LGCProcess.run(["check", "-"], input: Self.sound)
    #expect(result.code == 0)
    #expect(result.error == "")
    #expect(
      result.output == """
        tiny: Lipschitz bounds in l2

        layer      output  parameters  bound  held by
        input      2×3
        flatten_1  6                       1  1-Lipschitz in every norm
        fc1        4               28      1  spectral, certified rescale
        relu_1     4                       1  1-Lipschitz in every norm
        logits     2               10      1  spectral, certified rescale
        network    2               38      1  all of the above

        lipschitz l2 ≤ 1  proved: 1
        accuracy ≥ 0.5    cannot be decided statically: needs the trained network

        """)
  }

  @Test func aWrongDescriptionExitsWithOneAndSaysWhyOnStandardError() throws {
    let result = try LGCProcess.run(["check", "-"], input: "lgc: 1\nname: x\nmodel: 3\n")
    #expect(result.code == 1)
    #expect(result.output == "")
    #expect(result.error.hasPrefix("error[L0103]: "))
    #expect(result.error.contains(" --> <stdin>:3:8\n"))
    #expect(result.error.hasSuffix("\n<stdin>: 1 error\n"))
  }

  @Test func aMissingFileExitsWithTwo() throws {
    let result = try LGCProcess.run(["check", "/nowhere/model.yaml"])
    #expect(result.code == 2)
    #expect(
      result.error.hasPrefix(
        "error[L0601]: cannot read `/nowhere/model.yaml`: no such file or directory\n"))
    let folder = try LGCProcess.run(["check", "/"])
    #expect(folder.code == 2)
    #expect(folder.error.contains("is a directory"))
  }

  @Test(arguments: [
    ["check"], ["check", "-", "--format", "xml"], ["check", "-", "--colour", "always"],
    ["chekc", "-"],
  ])
  func aWrongCommandLineExitsWithSixtyFour(_ arguments: [String]) throws {
    #expect(try LGCProcess.run(arguments).code == 64)
  }

  @Test func severalFilesAreCheckedEachAndTheWorstCounts() throws {
    let broken = MalformedTests.folder.appendingPathComponent("at_sign.yaml").path
    let result = try LGCProcess.run(["check", "-", broken, "/nowhere"], input: Self.sound)
    #expect(result.code == 2)
    #expect(result.output.hasPrefix("tiny: "))
    #expect(result.error.contains("L0001") && result.error.contains("L0601"))
    let json = try LGCProcess.run(
      ["check", "-", broken, "--format", "json"], input: Self.sound)
    #expect(json.code == 1)
    let values = try #require(json.value as? [[String: Any]])
    #expect(values.map { $0["ok"] as? Bool } == [true, false])
  }

  @Test func theJSONHasTheKeysOfTheContract() throws {
    let result = try LGCProcess.run(["check", "-", "--format", "json"], input: Self.sound)
    #expect(result.code == 0 && result.error == "")
    let value = try #require(result.value as? [String: Any])
    #expect(Set(value.keys) == ["lgc", "file", "ok", "diagnostics", "networks"])
    #expect(value["lgc"] as? String == LGC.version)
    #expect(value["file"] as? String == "-")
    let network = try #require((value["networks"] as? [[String: Any]])?.first)
    #expect(
      Set(network.keys) == [
        "name", "input_shape", "output_shape", "parameters", "domain", "bound", "layers",
      ])
    #expect(network["input_shape"] as? [Int] == [2, 3])
    #expect(network["parameters"] as? Int == 38)
    let layers = try #require(network["layers"] as? [[String: Any]])
    #expect(
      Set(layers[1].keys) == [
        "name", "kind", "output_shape", "parameters", "constraint", "bound", "line",
      ])
    #expect(layers.map { $0["line"] as? Int } == [8, 9, 9, 10])
    #expect(layers[1]["constraint"] as? String == "spectral")
    #expect(layers[2]["constraint"] is NSNull)
    let bound = try #require(layers[1]["bound"] as? [String: Any])
    #expect(bound["norm"] as? String == "l2")
    #expect(bound["value"] as? Double == 1)
    #expect(bound["provable"] as? Bool == true)
  }

  @Test func whatCannotBeProvedIsNullInJSON() throws {
    let text = "lgc: 1\nname: free\nmodel: {input: [4], layers: [dense: 3]}\n"
    let result = try LGCProcess.run(["check", "-", "--format", "json"], input: text)
    #expect(result.code == 0)
    let value = try #require(result.value as? [String: Any])
    let network = try #require((value["networks"] as? [[String: Any]])?.first)
    let bound = try #require(network["bound"] as? [String: Any])
    #expect(bound["value"] is NSNull)
    #expect(bound["provable"] as? Bool == false)
  }

  @Test func theJSONOfAnUnreadableFileIsStillJSON() throws {
    let result = try LGCProcess.run(["check", "/nowhere", "--format", "json"])
    #expect(result.code == 2 && result.error == "")
    let value = try #require(result.value as? [String: Any])
    #expect(value["ok"] as? Bool == false)
    let first = try #require((value["diagnostics"] as? [[String: Any]])?.first)
    #expect(first["code"] as? String == "L0601")
    #expect(first["line"] is NSNull)
  }

  @Test func colourFollowsTheOptionThenTheEnvironment() throws {
    func isColored(_ arguments: [String], _ environment: [String: String] = [:]) throws -> Bool {
      try LGCProcess.run(["check", "-"] + arguments, input: "lgc: @", environment: environment)
        .error.contains("\u{1B}[")
    }
    #expect(try !isColored([]))
    #expect(try isColored(["--color", "always"]))
    #expect(try isColored([], ["FORCE_COLOR": "1"]))
    #expect(try !isColored([], ["FORCE_COLOR": ""]))
    #expect(try !isColored([], ["FORCE_COLOR": "1", "NO_COLOR": "1"]))
    #expect(try isColored(["--color", "always"], ["NO_COLOR": "1"]))
    #expect(try !isColored(["--color", "never"], ["FORCE_COLOR": "1"]))
  }

  @Test func anEndlessInputIsRefusedAtTheLimit() throws {
    let result = try LGCProcess.run(["check", "/dev/zero"])
    #expect(result.code == 1)
    #expect(result.error.hasPrefix("error[L0006]: the description is larger than 8 MiB"))
  }
}
