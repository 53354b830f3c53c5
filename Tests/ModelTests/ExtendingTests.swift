import Diagnostics
import Glibc
import Model
import Testing

/// A folder with descriptions, gone when the test ends.
private final class Folder {
  let path: String
  private let names: [String]

  init(_ files: [String: String]) throws {
    var template = Array("/tmp/lgc-extends-XXXXXX".utf8CString)
    _ = try #require(mkdtemp(&template))
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    names = Array(files.keys)
    for (name, text) in files {
      if let slash = name.lastIndex(of: "/") { mkdir("\(path)/\(name[..<slash])", 0o755) }
      let file = try #require(fopen("\(path)/\(name)", "w"))
      fputs(text, file)
      fclose(file)
    }
  }

  deinit {
    for name in names { unlink("\(path)/\(name)") }
    for name in names {
      if let slash = name.lastIndex(of: "/") { rmdir("\(path)/\(name[..<slash])") }
    }
    rmdir(path)
  }

  func load(
    _ name: String, _ overrides: [String] = []
  ) throws -> (experiment: Experiment?, diagnostics: [Diagnostic]) {
    let file = try #require(fopen("\(path)/\(name)", "r"))
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = fread(&bytes, 1, bytes.count, file)
    return loadExperiment(
      SourceFile(path: "\(path)/\(name)", bytes: Array(bytes[..<count])), catalogs: testCatalogs,
      directory: path, overrides: overrides.map { Override(argument: $0)! })
  }
}

private let base = """
  lgc: 1
  name: base
  model: {input: [4], layers: [dense: {name: a, units: 3}, relu]}
  optimizer: {type: adam, lr: 0.1}
  train: {epochs: 3, batch: 8}
  """

@Suite struct ExtendingTests {
  private func places(_ diagnostics: [Diagnostic]) -> [String] {
    diagnostics.filter { $0.severity == .error }.map { diagnostic in
      guard let span = diagnostic.span else { return "\(diagnostic.code.id)" }
      let name = span.file.path.split(separator: "/").last ?? ""
      return "\(diagnostic.code.id) \(name) «\(span.text)»"
    }
  }

  @Test func mappingsMergeAndListsReplace() throws {
    let folder = try Folder([
      "base.yaml": base,
      "child.yaml": "extends: base.yaml\nname: child\ntrain: {batch: 16, seed: 5}\n",
      "list.yaml": "extends: child.yaml\nname: list\nmodel: {layers: [dense: 7]}\n",
    ])
    let child = try #require(try folder.load("child.yaml").experiment)
    #expect(child.name == "child")
    #expect(child.train?.batch == 16 && child.train?.seed == 5)
    #expect(child.networks[0].nodes.map(\.name) == ["a", "relu_1"])
    let list = try #require(try folder.load("list.yaml").experiment)
    #expect(list.networks[0].nodes.map(\.name) == ["dense_1"])
    #expect(list.networks[0].inputShape == [4])
  }

  @Test func nothingTakesAKeyAwayAndAnotherKindReplacesTheWhole() throws {
    let folder = try Folder([
      "base.yaml": base,
      "child.yaml": "extends: base.yaml\nname: c\ntrain: {epochs: , steps: 5}\n"
        + "optimizer: {type: other}\n",
    ])
    let (experiment, diagnostics) = try folder.load("child.yaml")
    #expect(experiment == nil)
    // Only the unknown kind: neither two lengths nor the other optimizer's `lr`.
    #expect(places(diagnostics) == ["L0105 child.yaml «other»"])
  }

  @Test func diagnosticsPointIntoTheFileThatWroteIt() throws {
    let folder = try Folder([
      "base.yaml": "lgc: 1\nmodel: {input: [4], layers: [dense: {unit: 3}]}\n",
      "child.yaml": "extends: base.yaml\nname: c\ntrain: {epochs: many}\n",
    ])
    #expect(
      places(try folder.load("child.yaml").diagnostics)
        == ["L0103 child.yaml «many»", "L0101 base.yaml «unit»"])
  }

  @Test func overridesComeAfterTheParents() throws {
    let folder = try Folder([
      "base.yaml": base, "child.yaml": "extends: base.yaml\nname: c\ntrain: {batch: 16}\n",
    ])
    let (experiment, _) = try folder.load(
      "child.yaml", ["train.batch=2", "model.layers[a].units=9"])
    #expect(experiment?.train?.batch == 2)
    #expect(experiment?.networks[0].nodes[0].outputShape == [9])
  }

  @Test func parentsAreFoundFromTheFolderOfTheirChild() throws {
    let folder = try Folder([
      "base.yaml": base, "sub/middle.yaml": "extends: ../base.yaml\nname: middle\n",
      "child.yaml": "extends: sub/middle.yaml\n",
    ])
    #expect(try folder.load("child.yaml").experiment?.name == "middle")
  }

  @Test func whatCannotBeExtendedIsSaidAtItsPath() throws {
    let folder = try Folder([
      "a.yaml": "extends: b.yaml\n", "b.yaml": "extends: ./a.yaml\n", "self.yaml":
        "extends: self.yaml\n", "gone.yaml": "extends: nowhere.yaml\n",
      "list.yaml": "extends: [a.yaml, b.yaml]\n", "broken.yaml": "lgc: [\n",
      "child.yaml": "extends: broken.yaml\n",
    ])
    let expected = [
      "a.yaml": ["L0113 b.yaml «./a.yaml»"], "self.yaml": ["L0113 self.yaml «self.yaml»"],
      "gone.yaml": ["L0113 gone.yaml «nowhere.yaml»"],
      "list.yaml": ["L0103 list.yaml «[a.yaml, b.yaml]»"],
    ]
    for (name, places) in expected {
      #expect(self.places(try folder.load(name).diagnostics) == places)
    }
    let broken = try folder.load("child.yaml").diagnostics
    #expect(broken.count == 1 && broken[0].span?.file.path.hasSuffix("broken.yaml") == true)
  }

  // MARK: variables

  @Test func variablesStandForAnyValue() throws {
    let folder = try Folder([
      "v.yaml": """
        lgc: 1
        name: net-$width-$tag
        vars: {width: 5, tag: x1, layer: {dense: {units: $width}}, x-free: 3, cost: a$$b}
        model: {input: [4], layers: [$layer, dense: $width, {dense: {units: 2, name: $cost}}]}
        """
    ])
    let (experiment, diagnostics) = try folder.load("v.yaml")
    // `a$b` cannot be a layer's name: the dollar sign arrived.
    #expect(experiment == nil)
    #expect(places(diagnostics) == ["L0104 v.yaml «a$$b»"])
    let (changed, problems) = try folder.load("v.yaml", ["vars.cost=last", "vars.width=6"])
    #expect(places(problems) == [])
    #expect(changed?.name == "net-6-x1")
    #expect(changed?.networks[0].nodes.map(\.outputShape) == [[6], [6], [2]])
  }

  @Test(arguments: [
    ("vars: {width: many}\nmodel: {input: [4], layers: [dense: $width]}", "L0103 v.yaml «many»"),
    ("vars: {width: 3}\nmodel: {input: [4], layers: [dense: $widht]}", "L0109 v.yaml «$widht»"),
    ("vars: {a: [1]}\nmodel: {input: $a, layers: [{dense: {units: 1, name: x$a}}]}",
      "L0103 v.yaml «x$a»"),
    ("vars: {3a: 1}\nmodel: {input: [4], layers: [relu]}", "L0104 v.yaml «3a»"),
    ("vars: [1]\nmodel: {input: [4], layers: [relu]}", "L0103 v.yaml «[1]»"),
    ("vars: {a: $b, b: 1}\nmodel: {input: [4], layers: [dense: $a, dense: $b]}",
      "L0109 v.yaml «$b»"),
  ])
  func wrongVariablesAreUnderlined(_ text: String, _ expected: String) throws {
    let folder = try Folder(["v.yaml": "lgc: 1\nname: t\n" + text + "\n"])
    #expect(places(try folder.load("v.yaml").diagnostics).first == expected)
  }

  @Test func aVariableThatNothingUsesIsWarnedOf() throws {
    let folder = try Folder([
      "v.yaml": "lgc: 1\nname: t\nvars: {a: 1}\nmodel: {input: [4], layers: [dense: 2]}\n"
    ])
    let (experiment, diagnostics) = try folder.load("v.yaml", ["vars.b=3"])
    #expect(experiment != nil)
    #expect(diagnostics.map(\.code.name) == ["unused-variable", "unused-variable"])
  }

  @Test func quotedDollarsAndDescriptionsWithoutVariablesAreLeftAlone() throws {
    let folder = try Folder([
      "v.yaml": "lgc: 1\nname: \"a$b\"\nvars: {a: 2}\nmodel: {input: [4], layers: [dense: $a]}\n",
      "w.yaml": "lgc: 1\nname: a$b\nmodel: {input: [4], layers: [dense: 2]}\n",
    ])
    for name in ["v.yaml", "w.yaml"] {
      #expect(try folder.load(name).experiment?.name == "a$b")
    }
  }

  @Test func variablesThatMultiplyAreStopped() throws {
    var text = "lgc: 1\nname: t\nvars:\n  a0: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
    for level in 1...8 {
      let name = "$a\(level - 1)"
      text += "  a\(level): [\([String](repeating: name, count: 10).joined(separator: ", "))]\n"
    }
    let folder = try Folder([
      "v.yaml": text + "model: {input: $a8, layers: [dense: 2]}\n"
    ])
    #expect(try folder.load("v.yaml").diagnostics.contains { $0.code.name == "too-many-nodes" })
  }
}
