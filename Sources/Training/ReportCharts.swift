import Formats

// The curves of a report.

extension Report {
  /// One chart for each quantity in the lines of metrics, whatever lines there are: what begins with
  /// `train_`, `test_` or `validation_` shares the chart of its name.
  var charts: [Markup] {
    if files.metrics.isEmpty { return [] }
    var charts = groups.compactMap(chart)
    if let norms = normChart { charts.append(norms) }
    return charts.isEmpty ? [] : [.element("div", [("class", "charts")], charts)]
  }

  // MARK: quantities

  private struct Group {
    let name: String
    var keys: [(key: String, label: String)]
  }

  private static let splits = ["train", "validation", "test"]
  /// Not curves of their own.
  private static let notCurves: Set = ["step", "epoch", "seconds", "norms"]
  /// Drawn together.
  private static let together: [(name: String, keys: [(String, String)])] = [
    ("losses", [("critic_loss", "critic"), ("generator_loss", "generator")]),
    ("modes", [("modes_covered", "reached"), ("modes_filled", "with a fair share")]),
  ]

  private var groups: [Group] {
    var groups: [Group] = []
    func add(_ name: String, _ key: String, _ label: String) {
      if let index = groups.firstIndex(where: { $0.name == name }) {
        if !groups[index].keys.contains(where: { $0.key == key }) {
          groups[index].keys.append((key, label))
        }
      } else {
        groups.append(Group(name: name, keys: [(key, label)]))
      }
    }
    for line in files.metrics {
      for member in line.members ?? [] where !Self.notCurves.contains(member.name) {
        guard member.value.double != nil else { continue }
        let key = member.name
        if let pair = Self.together.lazy.compactMap({ group in
          group.keys.first { $0.0 == key }.map { (group.name, $0.1) }
        }).first {
          add(pair.0, key, pair.1)
        } else if let split = Self.splits.first(where: { key.hasPrefix($0 + "_") }) {
          add(String(key.dropFirst(split.count + 1)), key, split)
        } else {
          add(key, key, "train")
        }
      }
    }
    return groups
  }

  private var isByEpoch: Bool { files.metrics.allSatisfy { $0["epoch"]?.double != nil } }
  private var xLabel: String { isByEpoch ? "epoch" : "step" }

  private func points(_ value: (JSON) -> Double?) -> [(x: Double, y: Double)] {
    files.metrics.compactMap { line in
      guard let x = line[isByEpoch ? "epoch" : "step"]?.double else { return nil }
      // What is missing or was no number interrupts the line.
      return (x, value(line) ?? .nan)
    }
  }

  private func chart(_ group: Group) -> Markup? {
    let series = group.keys.map { key, label in
      LineChart.Series(
        label, points { $0[key]?.double },
        line: group.name == "learning_rate" ? .steps : .straight)
    }
    let isShare = group.name.contains("accuracy") || group.name == "high_quality"
    let values = series.flatMap { $0.points.map(\.y).filter(\.isFinite) }
    guard let low = values.min(), let high = values.max() else { return nil }
    let isLogarithmic =
      !isShare && group.name != "learning_rate" && low > 0 && high / low > 30
    var rules: [LineChart.Rule] = []
    if group.name == "modes", let modes = files.record["modes"]?.double {
      rules.append(.init(modes, "all"))
    }
    let title = Self.titles[group.name]
      ?? group.name.split(separator: "_").joined(separator: " ")
    let chart = LineChart(
      title.prefix(1).uppercased() + title.dropFirst(), x: xLabel,
      y: isShare ? .percent : isLogarithmic ? .logarithmic : .linear,
      startsAtZero: ["learning_rate", "modes"].contains(group.name), series, rules: rules)
    return figure(chart, Self.captions[group.name])
  }

  private static let titles = [
    "gap": "gap of the scores", "high_quality": "samples of high quality",
    "modes": "modes of the data",
  ]

  private static let captions = [
    "accuracy": "Train: over the samples since the last line, each before its own update. Others: "
      + "the network in training over the whole split.",
    "gap": "Mean score of real less that of generated samples.",
    "high_quality": "Share of the samples within three standard deviations of a mode.",
  ]

  // MARK: norms

  /// Estimates while training went on, and what is proved of the stored weights at the end.
  private var normChart: Markup? {
    var names: [String] = []
    for line in files.metrics {
      for member in line["norms"]?.members ?? [] where !names.contains(member.name) {
        names.append(member.name)
      }
    }
    if names.isEmpty { return nil }
    let proved = proofs.first.map { proof in
      Dictionary(
        proof.layers.map { ($0.name, $0.bound) }, uniquingKeysWith: { first, _ in first })
    } ?? [:]
    let series = names.map { name in
      LineChart.Series(
        name, points { $0["norms"]?[name]?.double },
        end: proved[name].flatMap { $0.isFinite ? $0.value : nil })
    }
    let values = series.flatMap { $0.points.map(\.y) + [$0.end ?? .nan] }
      .filter { $0.isFinite && $0 > 0 }
    let isLogarithmic = (values.max() ?? 1) > 20 * (values.min() ?? 1)
    let chart = LineChart(
      "Norms of the layers", x: xLabel, y: isLogarithmic ? .logarithmic : .linear, series)
    let caption = "Lines: estimates during training, not proved."
      + (proved.isEmpty
        ? "" : " Diamonds: the proved \(proofs[0].norm) bounds of the stored weights.")
    return figure(chart, caption)
  }

  // MARK: certified accuracy

  var certifiedAccuracy: [Markup] {
    guard let evaluation = files.evaluation else {
      let isOpen = files.record["test_accuracy"]?.double != nil
        && proofs.contains { $0.result.isFinite }
      return isOpen
        ? [
          .element(
            "p", [("class", "scope")],
            [
              Markup(text: "Not measured yet: "),
              .element("code", [], text: "lgc eval \(files.path)"),
              Markup(text: " finds it and writes this report again."),
            ])
        ] : []
    }
    var out: [Markup] = []
    for result in evaluation["norms"]?.array ?? [] {
      let norm = result["norm"]?.string ?? ""
      out.append(
        .element(
          "div", [("class", "charts")],
          [certifiedChart(result, norm, clean: evaluation["accuracy"]?.double)]
            .compactMap(\.self)))
      let rows = (result["radii"]?.array ?? []).map { row -> Markup in
        func share(_ key: String) -> Markup {
          cell(row[key]?.double.map { fixed($0 * 100, 2) + " %" } ?? "", "number")
        }
        return .element(
          "tr", [],
          [
            cell(row["radius"]?.double.map { number($0) } ?? "", "number"),
            cell(row["raw_radius"]?.double.map { number($0) } ?? "", "number"),
            share("certified"), share("attacked"),
          ])
      }
      if !rows.isEmpty {
        out.append(
          table(
            ["\(norm) radius", "in data units", "certified", "under attack"],
            right: [0, 1, 2, 3], rows))
      }
    }
    if let scope = evaluation["certificate"]?.string {
      out.append(.element("p", [("class", "scope")], text: "Certified: " + scope + "."))
    }
    return out
  }

  private func certifiedChart(_ result: JSON, _ norm: String, clean: Double?) -> Markup? {
    guard let radii = result["curve"]?["radii"]?.array?.compactMap(\.double),
      let shares = result["curve"]?["certified"]?.array?.compactMap(\.double),
      radii.count == shares.count, radii.count > 1
    else { return nil }
    var series = [
      LineChart.Series("certified", Array(zip(radii, shares).map { (x: $0, y: $1) }))
    ]
    let attacked = (result["radii"]?.array ?? []).compactMap { row -> (x: Double, y: Double)? in
      guard let x = row["radius"]?.double, let y = row["attacked"]?.double else { return nil }
      return (x, y)
    }
    if !attacked.isEmpty {
      series.append(.init("under attack (PGD)", attacked, line: .none))
    }
    var chart = LineChart(
      "Certified accuracy against radius", x: "\(norm) radius, in model input", y: .percent,
      startsAtZero: true, series, rules: clean.map { [.init($0, "clean accuracy")] } ?? [])
    chart.hasMarks = false
    return figure(
      chart, "No change of the input below the radius turns a certified sample. The attack bounds "
        + "the same share from the other side.")
  }

  private func figure(_ chart: LineChart, _ caption: String?) -> Markup {
    .element(
      "figure", [],
      [chart.svg] + (caption.map { [.element("figcaption", [], text: $0)] } ?? []))
  }
}
