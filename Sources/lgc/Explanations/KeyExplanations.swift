extension Explanation {
  static let keys = [
    Explanation(
      .unknownKey,
      "Every key is known, or it is an error: a misspelled key that is silently ignored costs days. "
        + "Keys that begin with `x-` are free.",
      Case(network("- dense: {unit: 2}")), repaired: Case(network("- dense: {units: 2}"))),
    Explanation(
      .missingKey, "A key without a default is not there.",
      Case(network("- dense: {bias: false}")),
      repaired: Case(network("- dense: {units: 2, bias: false}"))),
    Explanation(
      .wrongType,
      "A value is of another type than its key takes. `no` and `yes` are strings; a boolean is "
        + "`true` or `false`.",
      Case(network("- dense: {units: 2, bias: no}")),
      repaired: Case(network("- dense: {units: 2, bias: false}"))),
    Explanation(
      .outOfRange, "A value is of the right type, but cannot be.",
      Case(network("- dense: {units: 0}")), repaired: Case(network("- dense: {units: 1}"))),
    Explanation(
      .unknownKind,
      "No layer, constraint, loss, … has this name. `lgc explain layers` lists those there are.",
      Case(network("- desne: 2")), repaired: Case(network("- dense: 2"))),
    Explanation(
      .languageVersion, "The description is written in a language that this lgc does not read.",
      Case("lgc: 2\nname: example\nmodel: {input: [4], layers: [relu]}"),
      repaired: Case("lgc: 1\nname: example\nmodel: {input: [4], layers: [relu]}")),
    Explanation(
      .duplicateName, "Two layers of a network have the same name.",
      Case(network("- dense: {name: fc, units: 2}\n- dense: {name: fc, units: 2}")),
      repaired: Case(network("- dense: {name: fc1, units: 2}\n- dense: {name: fc2, units: 2}"))),
    Explanation(
      .unknownName, "A name refers to nothing; layers read only those that stand before them.",
      Case(network("- dense: {name: fc, units: 4}\n- add: {from: [fc, fd]}")),
      repaired: Case(network("- dense: {name: fc, units: 4}\n- add: {from: [fc, input]}"))),
    Explanation(
      .conflictingKeys, "Two keys say different things about the same matter.",
      Case(network("- relu", after: "train: {epochs: 3, steps: 100}")),
      repaired: Case(network("- relu", after: "train: {epochs: 3}"))),
    Explanation(
      .invalidOverride,
      "The path of `--set` leads nowhere. Layers are addressed by name: "
        + "`--set model.layers[fc].units=3`.",
      Case(
        network("- dense: {name: fc, units: 4}"),
        "lgc lower model.yaml --stop-after shapes --set 'model.layers[fd].units=3'"),
      repaired: Case(
        network("- dense: {name: fc, units: 4}"),
        "lgc lower model.yaml --stop-after shapes --set 'model.layers[fc].units=3'")),
    Explanation(
      .unreadLayer, "Nothing reads the output of a layer, so that it has no effect.",
      Case(network("- dense: {name: fc, units: 4}\n- dense: {from: input, units: 2}")),
      repaired: Case(network("- dense: {name: fc, units: 4}\n- dense: {from: fc, units: 2}"))),
    Explanation(
      .invalidExtends,
      "`extends` names one other description, relative to the file that says it, and none that "
        + "extends this one.",
      Case("extends: modle.yaml\n" + network("- relu")), repaired: Case(network("- relu"))),
    Explanation(
      .unusedVariable,
      "A variable under `vars` is written nowhere as `$name`; a value set for it changes nothing.",
      Case(network("- dense: 2", after: "vars: {width: 3}")),
      repaired: Case(network("- dense: $width", after: "vars: {width: 3}"))),
  ]

  static let shapes = [
    Explanation(
      .shapeMismatch, "A layer cannot read what the layer before it gives.",
      Case(network("- conv: {filters: 3, kernel: 5}", input: "[1, 4, 4]")),
      repaired: Case(network("- conv: {filters: 3, kernel: 5, padding: 2}", input: "[1, 4, 4]"))),
    Explanation(
      .shapeNotPreserved,
      "A residual connection adds a block's input to its output; both must have one shape.",
      Case(network("- dense: {units: 3, residual: convex}")),
      repaired: Case(network("- dense: {units: 4, residual: convex}"))),
    Explanation(
      .tensorTooLarge, "A tensor would have more elements than lgc counts.",
      Case(network("- dense: 4000000000000000000")), repaired: Case(network("- dense: 4000"))),
  ]
}
