import Model

/// Descriptions that mention every kind and every argument, for a fuzzer to begin with: each kind's
/// examples, without their marks.
public var seeds: [String] {
  func document(_ section: String) -> String {
    "lgc: 1\nname: a\nmodel: {input: [6], lipschitz: 1, layers: [dense: 3]}\n\(section)\n"
  }
  func examples(_ kinds: [any CatalogUnit.Type]) -> [Example] { kinds.flatMap { $0.examples } }
  func examples(_ kinds: [any CatalogUnit.Type], _ text: (String) -> String) -> [String] {
    examples(kinds).map { text($0.yaml) }
  }
  var texts = examples(everyKind.layers).map {
    "lgc: 1\nname: a\nmodel:\n  input: \($0.input)\n  layers:\n    - \($0.yaml)\n"
  }
  texts += examples(everyKind.constraints) {
    "lgc: 1\nname: a\nmodel: {input: [6], lipschitz: 1, layers: [dense: 3],\n  constraint: \($0)}\n"
  }
  texts += examples(everyKind.losses) { document("loss: \($0)") }
  texts += examples(everyKind.adversarialLosses) {
    """
    lgc: 1
    name: a
    models:
      generator: {input: {shape: [2]}, layers: [dense: 3]}
      critic: {input: [3], layers: [dense: 1]}
    loss: \($0)

    """
  }
  texts += examples(everyKind.regularisers) { document("regularize:\n  - \($0)") }
  texts += examples(everyKind.optimizers) { document("optimizer: \($0)") }
  texts += examples(everyKind.datasets) { document("data: {type: \($0)}") }
  texts += examples(everyKind.augmentations) { document("data:\n  type: idx\n  augment:\n    - \($0)") }
  return texts.map { $0.filter { $0 != "«" && $0 != "»" } }
}

/// Every word of the language, and what means something in YAML.
public var tokens: [String] {
  let language = Language(everyKind)
  func words(_ keys: [LanguageKey]) -> [String] { keys.flatMap { [$0.name] + words($0.members) } }
  var all = words(language.keys) + language.layerKeys.map(\.name)
  for kind in language.families.flatMap(\.kinds) {
    all.append(kind.kind)
    all += kind.arguments.map(\.name)
  }
  all += ["residual", "repeat", "parallel", "layers", "branches", "times", "shared", "shortcut"]
  all += ["l1", "l2", "linf", "sum", "convex", "concat", "weighted", "unconstrained", "uniform"]
  all += [
    "&a ", "*a", "<<: ", "? ", "!!str ", "!!int ", "|\n", ">-\n", "%YAML 1.2\n", "---\n", "...\n",
    ": ", "- ", "{", "}", "[", "]", "#", "\t", "\r\n", "\"", "'", "\\x1b", "\\u202e", "\\0", "~",
    "null", "true", "no", ".inf", "-.inf", ".nan", "1e308", "1e-308", "0x7fffffffffffffff", "0o17",
    "36/255", "1/0", "-0.0", "9223372036854775807", "1000000000", "$a", "$$", "x-", "quickstart.yaml",
  ]
  return Set(all).sorted()
}
