import Tensors

/// A profile as numbers and as the table that the user reads.
public struct ProfileReport: Sendable {
  public struct Step: Sendable {
    public let layer: String
    public let label: String
    /// Median time of one run.
    public let nanoseconds: Double
    /// Of the sum over the program's steps.
    public let share: Double
    public let operations: Int
    public let bytes: Int
  }

  public struct Program: Sendable {
    public let name: String
    public let runs: Int
    /// Median time of a whole run. Medians do not add: it is near the sum of the steps' medians, but
    /// not equal to it.
    public let nanoseconds: Double
    /// In the order of time.
    public let steps: [Step]
    /// The sum of the steps' medians.
    public var total: Double { steps.reduce(0) { $0 + $1.nanoseconds } }
  }

  /// A use of the time of the thread that trains.
  public struct Use: Sendable {
    public let section: String
    public let name: String
    public let count: Int
    public let nanoseconds: Int
  }

  public let peak: MachinePeak
  /// Every program that ran, the one with the most time first.
  public let programs: [Program]
  /// They add up to `total`.
  public let uses: [Use]
  /// From the beginning to the end of the recording.
  public let total: Int
  /// Spent on other threads at the same time.
  public let beside: [Use]

  init(peak: MachinePeak, programs: [ProgramRecord], recorder: SpanRecorder) {
    self.peak = peak
    self.programs = programs.filter { $0.runs > 0 }.map(Program.init)
      .sorted { $0.total * Double($0.runs) > $1.total * Double($1.runs) }
    uses = recorder.accounts.map { account, entry in
      Use(
        section: account.section, name: account.name, count: entry.count,
        nanoseconds: entry.nanoseconds)
    }
    let spans = recorder.spans
    total = spans.filter { $0.thread == 0 }.map { $0.end - $0.start }.max() ?? 0
    let others = Dictionary(grouping: spans.filter { $0.thread > 0 }, by: \.name)
    beside = others.sorted { $0.key < $1.key }.map { name, spans in
      Use(
        section: "beside", name: name, count: spans.count,
        nanoseconds: spans.reduce(0) { $0 + $1.end - $1.start })
    }
  }
}

extension ProfileReport.Program {
  init(_ record: ProgramRecord) {
    name = record.name
    runs = record.runs
    let medians = record.medians
    nanoseconds = medians.run
    let total = max(medians.steps.reduce(0, +), 1)
    steps = zip(record.steps, medians.steps).map { step, time in
      ProfileReport.Step(
        layer: step.origin?.name ?? "", label: step.label, nanoseconds: time,
        share: time / total, operations: step.operations, bytes: step.bytes)
    }.sorted { $0.nanoseconds > $1.nanoseconds }
  }
}

// MARK: text

extension ProfileReport {
  /// Programs that take less of the run than this are named in the last table only.
  private static let smallestShare = 0.01
  /// Steps that take less of their program than this share a row.
  private static let smallestStep = 0.002

  public var text: String {
    let machine =
      "machine: \(decimal(peak.operations / 1e9, 0)) GFLOP/s of multiply-adds, "
      + "\(decimal(peak.bytes / 1e9, 1)) GB/s to and from memory, measured on "
      + "\(peak.threads) thread\(peak.threads == 1 ? "" : "s")\n"
    // The training step is the program that runs most often: it is what was asked for.
    let most = programs.map(\.runs).max() ?? 0
    let shown = programs.filter { program in
      program.runs == most
        || program.total * Double(program.runs) >= Self.smallestShare * Double(total)
    }
    return machine + shown.map { "\n" + table($0) }.joined() + "\n" + summary
  }

  private func table(_ program: Program) -> String {
    let runs = "\(program.runs) run\(program.runs == 1 ? "" : "s")"
    let head =
      "program \(program.name): \(runs), median \(decimal(program.nanoseconds / 1e6, 3)) ms\n"
    var rows = [["layer", "step", "µs", "share", "rate", "of peak"]]
    let large = program.steps.filter { $0.share >= Self.smallestStep }
    let small = program.steps.dropFirst(large.count)
    for step in large {
      let (rate, peak) = rate(step)
      rows.append([
        step.layer, step.label, decimal(step.nanoseconds / 1000, 1), percent(step.share), rate,
        peak,
      ])
    }
    if !small.isEmpty {
      let time = small.reduce(0) { $0 + $1.nanoseconds } / 1000
      let share = small.reduce(0) { $0 + $1.share }
      let steps = small.count == 1 ? "1 shorter step" : "\(small.count) shorter steps"
      rows.append(["", steps, decimal(time, 1), percent(share), "", ""])
    }
    let operations = program.steps.reduce(0) { $0 + $1.operations }
    let rate = Double(operations) / max(program.total, 1)
    rows.append([
      "", "all steps", decimal(program.total / 1000, 1), percent(1), "\(decimal(rate, 0)) GFLOP/s",
      percent(rate * 1e9 / max(peak.operations, 1)),
    ])
    return head + aligned(rows, left: 2)
  }

  private func rate(_ step: Step) -> (String, String) {
    let time = max(step.nanoseconds, 1)
    if step.operations > 0 {
      let rate = Double(step.operations) / time
      return ("\(decimal(rate, 0)) GFLOP/s", percent(rate * 1e9 / max(peak.operations, 1)))
    }
    let rate = Double(step.bytes) / time
    // Faster than memory: the data were still in a cache.
    let share = rate * 1e9 / max(peak.bytes, 1)
    return ("\(decimal(rate, 1)) GB/s", share > 1 ? "in cache" : percent(share))
  }

  private var summary: String {
    var rows = [["time of the run", "", "s", "share", "times"]]
    let sections = uses.reduce(into: [String]()) {
      if !$0.contains($1.section) { $0.append($1.section) }
    }
    for section in sections {
      for use in uses.filter({ $0.section == section }).sorted(by: {
        $0.nanoseconds > $1.nanoseconds
      }) {
        rows.append([section, use.name] + columns(use))
      }
    }
    rows.append(["total", "", decimal(Double(total) / 1e9, 3), percent(1), ""])
    for use in beside { rows.append(["at the same time", use.name] + columns(use)) }
    return aligned(rows, left: 2)
  }

  private func columns(_ use: Use) -> [String] {
    [
      decimal(Double(use.nanoseconds) / 1e9, 3),
      percent(Double(use.nanoseconds) / Double(max(total, 1))), String(use.count),
    ]
  }

  private func percent(_ share: Double) -> String { "\(decimal(share * 100, 1)) %" }
}

/// Rows with columns two blanks apart; the first `left` columns start at the left, the others end
/// at the right.
private func aligned(_ rows: [[String]], left: Int) -> String {
  let widths = (0..<(rows.first?.count ?? 0)).map { column in
    rows.map { $0[column].count }.max() ?? 0
  }
  return rows.map { row in
    let cells = row.enumerated().map { column, cell in
      let blanks = String(repeating: " ", count: widths[column] - cell.count)
      return column < left ? cell + blanks : blanks + cell
    }
    let line = "  " + cells.joined(separator: "  ")
    return String(line.reversed().drop { $0 == " " }.reversed()) + "\n"
  }.joined()
}
