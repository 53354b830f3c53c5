extension Explanation {
  private static let sound = network("- relu")

  static let yaml = [
    Explanation(
      .yamlSyntax, "The text is not YAML: a bracket, a quote or an indentation does not fit.",
      Case("lgc: 1\nname: example\nmodel: {input: [4], layers: [relu}"),
      repaired: Case("lgc: 1\nname: example\nmodel: {input: [4], layers: [relu]}")),
    Explanation(
      .invalidUTF8, "A description is text in UTF-8; some bytes of this file are not.",
      Case(
        "", #"printf 'lgc: 1\nname: caf\351\nmodel: {input: [4], layers: [relu]}' | lgc check -"#),
      repaired: Case(
        "",
        #"printf 'lgc: 1\nname: caf\303\251\nmodel: {input: [4], layers: [relu]}' | lgc check -"#)),
    Explanation(
      .tabIndentation, "YAML is indented with blanks; a tab at the start of a line is an error.",
      Case("lgc: 1\nname: example\nmodel:\n\tinput: [4]\n\tlayers: [relu]"),
      repaired: Case("lgc: 1\nname: example\nmodel:\n  input: [4]\n  layers: [relu]")),
    Explanation(
      .duplicateKey, "A mapping has the same key twice; which one is meant cannot be known.",
      Case("lgc: 1\nname: example\nname: other\nmodel: {input: [4], layers: [relu]}"),
      repaired: Case("lgc: 1\nname: example\nmodel: {input: [4], layers: [relu]}")),
    Explanation(
      .unknownAlias, "`*name` stands for the node marked `&name` further up; there is none.",
      Case("lgc: 1\nname: example\nmodel: {input: *shape, layers: [relu]}"),
      repaired: Case(
        "lgc: 1\nname: example\nx-shape: &shape [4]\nmodel: {input: *shape, layers: [relu]}")),
    Explanation(
      .tooLarge, "A description has at most 8 MiB.",
      Case(sound, #"(cat model.yaml; head -c 9000000 /dev/zero | tr '\0' '#') | lgc check -"#),
      repaired: Case(
        sound, #"(cat model.yaml; head -c 1000 /dev/zero | tr '\0' '#') | lgc check -"#)),
    Explanation(
      .tooDeep, "Nodes stand at most 64 levels deep, blocks of layers at most 14.",
      Case(
        "x-deep: " + String(repeating: "[", count: 70) + String(repeating: "]", count: 70) + "\n"
          + sound),
      repaired: Case("x-deep: [[[]]]\n" + sound)),
    Explanation(
      .tooManyNodes,
      "A description has at most 100 000 nodes, each alias counted with everything it stands for.",
      Case(
        """
        x-a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
        x-b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]
        x-c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]
        x-d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]
        x-e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]

        """ + sound),
      repaired: Case("x-a: &a [1, 1, 1]\nx-b: [*a, *a]\n" + sound)),
    Explanation(
      .tooManyErrors, "At most 1000 errors are told.",
      Case(sound, "(cat model.yaml; seq -f 'key%.0f: 1' 1001) | lgc check -"),
      repaired: Case(sound)),
    Explanation(
      .emptyDocument, "The file has nothing in it but blanks and comments.",
      Case("# to be written"), repaired: Case(sound)),
    Explanation(
      .severalDocuments, "One file describes one experiment; `---` begins a second document.",
      Case(sound + "\n---\n" + sound), repaired: Case(sound)),
    Explanation(
      .invalidMerge, "`<<` takes over the members of a mapping, or of a list of mappings.",
      Case("lgc: 1\nname: example\nmodel: {input: [4], layers: [dense: {<<: 3, units: 2}]}"),
      repaired: Case(
        "lgc: 1\nname: example\nx-wide: &wide {units: 64}\n"
          + "model: {input: [4], layers: [dense: {<<: *wide, bias: false}]}")),
    Explanation(
      .keyNotScalar, "A key is a word, not a list or a mapping.",
      Case("lgc: 1\nname: example\nmodel: {input: [4], layers: [{[dense]: 3}]}"),
      repaired: Case("lgc: 1\nname: example\nmodel: {input: [4], layers: [{dense: 3}]}")),
    Explanation(
      .unsupportedTag, "Only the tags of the YAML core schema apply, each to what it names.",
      Case("lgc: 1\nname: example\nmodel: {input: !point [4], layers: [relu]}"),
      repaired: Case("lgc: 1\nname: example\nmodel: {input: !!seq [4], layers: [relu]}")),
  ]
}
