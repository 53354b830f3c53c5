import Diagnostics
import Rounding

/// The language as a whole, from the catalogs: what the editor's schema, `lgc explain` and the
/// reference are made of.
public struct Language: Sendable {
  public let catalogs: Catalogs
  public init(_ catalogs: Catalogs) { self.catalogs = catalogs }

  /// A family of kinds, with the word that names it and where its members are written.
  public struct Family: Sendable {
    public let name: String
    public let title: String
    public let kinds: [any CatalogUnit.Type]
  }

  public var families: [Family] {
    [
      Family(name: "layer", title: "Layers", kinds: catalogs.layers),
      Family(name: "constraint", title: "Constraints", kinds: catalogs.constraints),
      Family(name: "loss", title: "Losses of one network", kinds: catalogs.losses),
      Family(
        name: "adversarial loss", title: "Losses of a generator and a critic",
        kinds: catalogs.adversarialLosses),
      Family(name: "regulariser", title: "Regularisers", kinds: catalogs.regularisers),
      Family(name: "optimizer", title: "Optimizers", kinds: catalogs.optimizers),
      Family(name: "data", title: "Data", kinds: catalogs.datasets),
    ]
  }

  /// The top-level keys with what stands in them.
  public var keys: [LanguageKey] {
    [
      LanguageKey(
        "lgc", "The version of the language.", "`1`", isRequired: true, schema: ["const": 1]),
      LanguageKey(
        "name", "What its runs are called after.", "a string", isRequired: true,
        schema: ["type": "string"]),
      LanguageKey(
        "extends", "A description that this one completes: mappings merge, lists and scalars "
          + "replace, nothing takes a key away.", "a path, relative to this file",
        schema: ["type": "string"]),
      LanguageKey(
        "vars", "Values by name, written elsewhere as `$name`, in longer plain text too; `$$` is a "
          + "dollar sign.", "a mapping", schema: ["type": "object"]),
      section(
        "data", "What is trained and tested on.", key: "type", of: catalogs.datasets, dataKeys),
      LanguageKey(
        "model", "The network, where there is one.", "a mapping",
        schema: ["$ref": "#/definitions/model"], members: modelKeys),
      LanguageKey(
        "models", "A generator and a critic that are trained against each other.", "a mapping",
        schema: LanguageKey.object(networks), members: networks),
      section(
        "loss", "What training minimises.", key: "family",
        of: catalogs.losses.map { $0 as any CatalogUnit.Type }
          + catalogs.adversarialLosses.map { $0 as any CatalogUnit.Type }, []),
      regularize,
      optimizer,
      LanguageKey(
        "train", "How long and in what portions training goes.", "a mapping",
        schema: LanguageKey.object(trainKeys), members: trainKeys),
      LanguageKey(
        "targets", "Claims to prove or to measure, each judged at the end.", "a list of targets",
        schema: ["anyOf": [target, ["type": "array", "items": target]]], members: targetKeys),
      LanguageKey(
        "report", "What a run tells on its way.", "a mapping",
        schema: LanguageKey.object(reportKeys), members: reportKeys),
    ]
  }

  // MARK: sections

  private var reportKeys: [LanguageKey] { ReportSection.keys.map { LanguageKey($0) } }

  private var dataKeys: [LanguageKey] {
    [
      LanguageKey(
        "range", "Bytes 0 to 255 become numbers from the first to the second.",
        "two numbers, the lower first",
        schema: [
          "type": "array", "items": Double.schema(range: nil), "minItems": 2, "maxItems": 2,
        ]),
      LanguageKey(
        "standardize", "Then x becomes (x − mean) / deviation, channel by channel; `data` "
          + "takes both from the training samples.", "`data`, or a mapping",
        schema: [
          "anyOf": [
            ["const": "data"],
            LanguageKey.object(
              [LanguageKey(SectionArguments.mean), LanguageKey(SectionArguments.deviation)]),
          ]
        ],
        members: [LanguageKey(SectionArguments.mean), LanguageKey(SectionArguments.deviation)]),
      LanguageKey(
        "shuffle", "Whether each epoch has an order of its own.", Bool.expectation(range: nil),
        default: "true", schema: Bool.schema(range: nil)),
      LanguageKey(
        "validation", "How many training samples are held back, and measured on.",
        ValidationSection.expectation(range: nil), schema: ValidationSection.schema(range: nil)),
      LanguageKey(
        "augment", "How training batches are varied; bounds and tests know nothing of it.",
        "a list of transformations",
        schema: ["type": "array", "items": entries(of: catalogs.augmentations, common: [])]),
    ]
  }

  private var optimizerKeys: [LanguageKey] {
    [
      LanguageKey(
        "schedule", "How the learning rate changes over the run.",
        LearningRateSchedule.expectation(range: nil), default: "constant",
        schema: LearningRateSchedule.schema(range: nil),
        members: LearningRateSchedule.keys.map { LanguageKey($0) }),
      LanguageKey(
        "clip_gradient", "The largest gradient that a step uses.",
        GradientClipping.expectation(range: nil), schema: GradientClipping.schema(range: nil)),
    ]
  }

  private var optimizer: LanguageKey {
    section(
      "optimizer", "How weights follow their gradients; adam with its defaults where it is left out.",
      key: "type", of: catalogs.optimizers, optimizerKeys, isKindOptional: true)
  }

  private var regularize: LanguageKey {
    LanguageKey(
      "regularize", "Terms that training adds to the loss.", "a list of regularisers",
      schema: ["type": "array", "items": entries(of: catalogs.regularisers, common: [])])
  }

  private var trainKeys: [LanguageKey] {
    typealias Keys = SectionArguments
    let declared: [any ArgumentDeclaration] = [
      Keys.epochs, Keys.steps, Keys.batch, Keys.seed, Keys.checkpoint, Keys.stopWhen,
      Keys.criticSteps, Keys.average,
    ]
    return declared.map { LanguageKey($0) }
  }

  private var targetKeys: [LanguageKey] {
    Resolver.targetDeclarations.map { name, summary, declared, shorthand in
      let keys = declared.map { LanguageKey($0) }
      let scalar = declared.first { $0.name == shorthand }?.schema ?? .object([])
      return LanguageKey(
        name, summary, "a mapping",
        schema: ["anyOf": [LanguageKey.object(keys), scalar]], members: keys)
    }
  }

  private var target: JSONValue {
    ["anyOf": [LanguageKey.object(targetKeys), ["enum": .array(targetKeys.map { .string($0.name) })]]]
  }

  // MARK: networks

  private var lipschitz: LanguageKey {
    LanguageKey(
      "lipschitz", "The Lipschitz bound that must hold, of the network's layers or of one layer.",
      "a number > 0, a mapping of `norm` and `bound`, or `unconstrained`",
      schema: ["$ref": "#/definitions/lipschitz"])
  }

  private var constraint: LanguageKey {
    LanguageKey(
      "constraint", "How training enforces `lipschitz`.",
      "a constraint’s name, or a mapping with `type`", default: "none",
      schema: ["$ref": "#/definitions/constraint"])
  }

  private var shape: JSONValue {
    let size = Int.schema(range: .atLeastOne)
    return ["anyOf": [size, ["type": "array", "items": size, "minItems": 1, "maxItems": 3]]]
  }

  /// What a generator reads.
  private var noise: JSONValue {
    LanguageKey.object([
      LanguageKey("noise", "Its distribution.", "", schema: Noise.schema(range: nil)),
      LanguageKey("shape", "Of one sample.", "", isRequired: true, schema: shape),
      LanguageKey(
        "classes", "Of the data, where a sample's class is asked for.", "",
        schema: Int.schema(range: ArgumentRange(lower: 2))),
    ])
  }

  private var modelKeys: [LanguageKey] { modelKeys(input: shape) }

  private func modelKeys(input: JSONValue) -> [LanguageKey] {
    [
      LanguageKey(
        "input", "The shape of one sample: `[features]`, `[channels, length]` or "
          + "`[channels, height, width]`; of a generator a mapping of `noise`, `shape` and, where "
          + "its samples are of a class that is asked for, the number of `classes`: as many planes "
          + "behind the noise, ones in that of the class. The critic then gives a score for each.",
        "a list of whole numbers ≥ 1", isRequired: true, schema: input),
      lipschitz, constraint,
      LanguageKey(
        "layers", "The layers, in their order.", "a list of layers", isRequired: true,
        schema: ["$ref": "#/definitions/layers"]),
      LanguageKey(
        "outputs", "The layers whose results leave the network, side by side; the last one by "
          + "default.", "a layer’s name, or a list of them", schema: NameList.schema),
    ]
  }

  private var networks: [LanguageKey] {
    let keys = modelKeys + [regularize, optimizer]
    return [
      LanguageKey(
        "generator", "Makes samples from noise.", "a mapping", isRequired: true,
        schema: ["$ref": "#/definitions/generator"], members: keys),
      LanguageKey(
        "critic", "Gives each sample a score.", "a mapping", isRequired: true,
        schema: ["$ref": "#/definitions/critic"], members: keys),
    ]
  }

  /// The keys that every layer has beside its arguments.
  public var layerKeys: [LanguageKey] {
    [
      LanguageKey(
        "name", "What it is called in tables, in files and by `from`; its kind and number by default.",
        "a string", schema: ["type": "string"]),
      LanguageKey(
        "from", "The layers it reads, by name; the one before it by default.",
        "a layer’s name, or a list of them", schema: NameList.schema),
      lipschitz.asWhole(lipschitzSchema), constraint.asWhole(constraintSchema),
      LanguageKey(
        "activation", "A layer that follows this one.", "a layer",
        schema: ["$ref": "#/definitions/layer"]),
      LanguageKey(
        "residual", "Whether its input is added to its output: x + w·f(x) or (1 − w)·x + w·f(x).",
        "`true`, `false`, `sum`, `convex`, or a mapping of `mode` and `weight`", default: "false",
        schema: ResidualSetting.schema),
    ]
  }

  // MARK: schema

  /// JSON Schema, draft-07, of a description. What an editor marks by it is wrong; what is wrong
  /// beyond a schema's means, only `lgc check` says.
  public var schema: JSONValue {
    let optional = LanguageKey.object(keys.map(\.asOptional)).withoutRequirements
    guard case .object(let members) = optional else { return .null }
    let head: [(key: String, value: JSONValue)] = [
      (key: "$schema", value: "http://json-schema.org/draft-07/schema#"),
      (key: "title", value: "lgc description"),
    ]
    let parts: [(key: String, value: JSONValue)] = [
      ("model", LanguageKey.object(modelKeys.map(\.asOptional)).withoutRequirements),
      (
        "generator",
        LanguageKey.object(
          (modelKeys(input: noise) + [regularize, optimizer]).map(\.asOptional)
        ).withoutRequirements
      ),
      (
        "critic",
        LanguageKey.object((modelKeys + [regularize, optimizer]).map(\.asOptional))
          .withoutRequirements
      ),
      ("layers", ["type": "array", "items": ["$ref": "#/definitions/layer"]]), ("layer", layer),
      ("lipschitz", lipschitzSchema.withoutRequirements),
      ("constraint", constraintSchema.withoutRequirements),
    ]
    let whole = JSONValue.object(
      head + members + [
        (key: "if", value: ["not": ["required": ["extends"]]]), (key: "then", value: standalone),
        (key: "definitions", value: .object(parts)),
      ])
    guard case .object(var root) = whole.allowingVariables else { return .null }
    if let place = root.firstIndex(where: { $0.key == "definitions" }),
      case .object(let all) = root[place].value
    {
      let texts: [(key: String, value: JSONValue)] = [
        (key: "fraction", value: Double.fraction),
        (key: "variable", value: ["type": "string", "pattern": #"\$"#]),
      ]
      root[place].value = .object(texts + all)
    }
    return .object(SharedKeys.factored(root))
  }

  /// What a description without a parent must say: with one, any of it may stand there.
  private var standalone: JSONValue {
    let sections: [String: JSONValue] = [
      "model": LanguageKey.object(modelKeys), "critic": LanguageKey.object(modelKeys),
      "generator": LanguageKey.object(modelKeys(input: noise)),
      "lipschitz": lipschitzSchema, "constraint": constraintSchema,
    ]
    var all: [(key: String, value: JSONValue)] = []
    if case .object(let members) = LanguageKey.object(keys).requirements(sections) { all = members }
    return .object(all + [("anyOf", [["required": ["model"]], ["required": ["models"]]])])
  }

  private var lipschitzSchema: JSONValue {
    [
      "anyOf": [
        Double.schema(range: .positive), ["const": "unconstrained"],
        LanguageKey.object([
          LanguageKey("norm", "The norm on input and output.", "", schema: Norm.schema(range: nil)),
          LanguageKey(
            "bound", "The Lipschitz constant that must hold.", "", isRequired: true,
            schema: Double.schema(range: .positive)),
        ]),
      ]
    ]
  }

  private var constraintSchema: JSONValue {
    choice(key: "type", of: catalogs.constraints, [], alsoAllowed: ["none"])
  }

  private var layer: JSONValue {
    let layers = LanguageKey(
      "layers", "The layers, in their order.", "", isRequired: true,
      schema: ["$ref": "#/definitions/layers"])
    let shortcut = LanguageKey(
      "shortcut", "What is added instead of the input.", "",
      schema: LanguageKey.object([layers]))
    let branches = LanguageKey(
      "branches", "Lists of layers, each of which reads the same input.", "", isRequired: true,
      schema: ["type": "array", "items": ["$ref": "#/definitions/layers"], "minItems": 2])
    let common = layerKeys.filter { Resolver.blockKeys.contains($0.name) }
    let residual = layerKeys.filter { $0.name == "residual" }
    func block(_ name: String, _ summary: String, _ keys: [LanguageKey])
      -> (key: String, value: JSONValue)
    {
      guard case .object(let members) = LanguageKey.object(common + keys) else {
        return (name, .null)
      }
      return (name, .object([(key: "description", value: .string(summary))] + members))
    }
    let repeated = [LanguageKey(Resolver.times), LanguageKey(Resolver.shared), layers]
    let joined = [
      LanguageKey(Resolver.combination), LanguageKey(Resolver.weights), LanguageKey(Resolver.axis),
    ]
    return entries(
      of: catalogs.layers, common: layerKeys,
      more: [
        block(
          "residual", "x + w·f(x), or (1 − w)·x + w·f(x).",
          ResidualSetting.keys + [layers, shortcut]),
        block("repeat", "The same layers several times.", residual + repeated),
        block("parallel", "Branches that are joined.", residual + [branches] + joined),
      ])
  }

  /// An entry of a list: a bare kind, or a mapping of one kind to its arguments.
  private func entries(
    of kinds: [any CatalogUnit.Type], common: [LanguageKey],
    more: [(key: String, value: JSONValue)] = []
  ) -> JSONValue {
    let properties = kinds.map { kind -> (key: String, value: JSONValue) in
      var forms: [JSONValue] = [
        LanguageKey.object(common + kind.arguments.map { LanguageKey($0) })
      ]
      if !kind.arguments.contains { $0.isRequired } { forms.append(["type": "null"]) }
      if let shorthand = kind.arguments.first(where: { $0.name == kind.shorthand }) {
        forms.append(shorthand.schema)
      }
      return (kind.kind, ["description": .string(kind.summary), "anyOf": .array(forms)])
    }
    let bare = kinds.filter { !$0.arguments.contains { $0.isRequired } }
    return [
      "anyOf": [
        ["enum": .array(bare.map { .string($0.kind) })],
        [
          "type": "object", "minProperties": 1, "maxProperties": 1,
          "properties": .object(properties + more), "additionalProperties": false,
        ],
      ]
    ]
  }

  private func section(
    _ name: String, _ summary: String, key: String, of kinds: [any CatalogUnit.Type],
    _ common: [LanguageKey], isKindOptional: Bool = false
  ) -> LanguageKey {
    let words = kinds.map { $0.kind }
    let kind = LanguageKey(
      key, "The kind.", words.map { "`\($0)`" }.joined(separator: ", "),
      isRequired: !isKindOptional)
    return LanguageKey(
      name, summary, "a mapping with `\(key)`, or the kind alone",
      schema: choice(key: key, of: kinds, common, isKindOptional: isKindOptional),
      members: [kind] + common)
  }

  /// A kind by its name alone, or a mapping that names it under `key`.
  private func choice(
    key: String, of kinds: [any CatalogUnit.Type], _ common: [LanguageKey],
    alsoAllowed: [String] = [], isKindOptional: Bool = false
  ) -> JSONValue {
    var forms: [JSONValue] = [
      ["enum": .array((kinds.map { $0.kind } + alsoAllowed).map(JSONValue.string))]
    ]
    for unit in kinds {
      let kind = LanguageKey(
        key, unit.summary, "", isRequired: !isKindOptional, schema: ["const": .string(unit.kind)])
      forms.append(LanguageKey.object([kind] + common + unit.arguments.map { LanguageKey($0) }))
    }
    for word in alsoAllowed {
      forms.append(
        LanguageKey.object([
          LanguageKey(key, "Nothing.", "", isRequired: true, schema: ["const": .string(word)])
        ]))
    }
    return ["anyOf": .array(forms)]
  }
}
