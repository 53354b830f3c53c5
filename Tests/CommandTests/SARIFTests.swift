import Diagnostics
import Foundation
import Testing

@testable import lgc

/// What the OASIS schema of SARIF 2.1.0 requires of the objects that lgc writes, and what it allows
/// in them. The schema itself is too large to keep here; the output for every fixture and model was
/// validated with python-jsonschema against the copy that the PyPI source package sarif-om 1.0.4
/// ships (sarif-2.1.0-rtm.4.json): no error.
@Suite struct SARIFTests {
  nonisolated(unsafe) private static let log: [String: Any] = {
    let paths = MalformedTests.names.map { MalformedTests.folder.appendingPathComponent($0).path }
    let diagnostics = (paths + ["/nowhere/a b.yaml"]).flatMap { Check($0).diagnostics }
    let text = SARIFRenderer.value(diagnostics, version: LGC.version) { code in
      Explanation.all.first { $0.code == code }?.meaning
    }.text
    return (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any] ?? [:]
  }()

  @Test func theLogHasWhatTheStandardRequires() throws {
    #expect(Set(Self.log.keys) == ["$schema", "version", "runs"])
    #expect(Self.log["version"] as? String == "2.1.0")
    let run = try #require((Self.log["runs"] as? [[String: Any]])?.first)
    #expect(Set(run.keys) == ["tool", "columnKind", "results"])
    #expect(run["columnKind"] as? String == "unicodeCodePoints")
    let driver = try #require((run["tool"] as? [String: Any])?["driver"] as? [String: Any])
    #expect(driver["name"] as? String == "lgc")
    let rules = try #require(driver["rules"] as? [[String: Any]])
    #expect(Set(rules.compactMap { $0["id"] as? String }).count == rules.count)
    for rule in rules {
      #expect((rule["fullDescription"] as? [String: Any])?["text"] is String)
      let configuration = try #require(rule["defaultConfiguration"] as? [String: Any])
      #expect(["note", "warning", "error"].contains(configuration["level"] as? String))
    }
    let results = try #require(run["results"] as? [[String: Any]])
    #expect(results.count >= MalformedTests.names.count)
    let allowed: Set = ["ruleId", "ruleIndex", "level", "message", "locations", "relatedLocations"]
    for result in results {
      #expect(Set(result.keys).isSubset(of: allowed))
      let index = try #require(result["ruleIndex"] as? Int)
      #expect(rules[index]["id"] as? String == result["ruleId"] as? String)
      #expect(["note", "warning", "error"].contains(result["level"] as? String))
      #expect((result["message"] as? [String: Any])?["text"] is String)
      let locations = ["locations", "relatedLocations"]
        .flatMap { result[$0] as? [[String: Any]] ?? [] }
      for location in locations { try check(location) }
    }
  }

  private func check(_ location: [String: Any]) throws {
    #expect(Set(location.keys).isSubset(of: ["physicalLocation", "message"]))
    let place = try #require(location["physicalLocation"] as? [String: Any])
    let artifact = try #require(place["artifactLocation"] as? [String: Any])
    let uri = try #require(artifact["uri"] as? String)
    #expect(URL(string: uri) != nil && !uri.contains(" "))
    let region = try #require(place["region"] as? [String: Int])
    #expect(Set(region.keys) == ["startLine", "startColumn", "endLine", "endColumn"])
    let (line, column) = (region["startLine"] ?? 0, region["startColumn"] ?? 0)
    let (lastLine, lastColumn) = (region["endLine"] ?? 0, region["endColumn"] ?? 0)
    #expect(line >= 1 && column >= 1)
    #expect(lastLine > line || lastLine == line && lastColumn >= column)
  }
}
