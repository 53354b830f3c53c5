import Diagnostics
import Formats
import Glibc
import Model
import Training

/// A description with weights: a run directory, or a file with `--weights`.
struct StoredModel {
  let experiment: Experiment
  /// Where the description's relative paths start.
  let directory: String
  /// The path of the weights.
  let weights: String
  /// nil where the description is a file.
  let run: RunDirectory?

  /// - Parameters:
  ///   - model: a description or a run directory; nil: the newest complete run.
  ///   - weights: nil: those of the run.
  ///   - command: for what help proposes.
  init(_ model: String?, weights: String?, command: String) throws {
    guard let path = model ?? RunDirectory.newest()?.path else {
      throw DiagnosticError(.noRun(command))
    }
    var information = stat()
    let isRun = stat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFDIR
    let run = isRun ? RunDirectory(path: path) : nil
    if let run, weights == nil, access(run.weights, F_OK) != 0 {
      throw DiagnosticError(.notFinished(path))
    }
    guard let stored = weights ?? run?.weights else {
      throw DiagnosticError(.noWeights(path))
    }
    // With the overrides of the run, where it recorded them.
    let description = run.map { access($0.resolved, R_OK) == 0 ? $0.resolved : $0.description }
      ?? path
    let origin = run?.originalDescription ?? description
    directory = DescriptionFile.directory(of: origin == "<stdin>" ? "-" : origin)
    let (experiment, diagnostics) = loadExperiment(
      try DescriptionFile.read(description), catalogs: DescriptionFile.catalogs,
      directory: DescriptionFile.directory(of: description))
    guard let experiment, diagnostics.allSatisfy({ $0.severity < .error }) else {
      throw DescriptionErrors(diagnostics: diagnostics)
    }
    self.experiment = experiment
    self.weights = stored
    self.run = run
  }

  /// Accuracy, certified and attacked, on the description's test split.
  func evaluation(_ options: EvaluationOptions) throws -> Evaluation {
    let tensors = try experiment.networks.first.map(tensors) ?? [:]
    return try Evaluation(experiment, tensors: tensors, directory: directory, options)
  }

  /// The tensors of one network; those of the description's other networks are left out.
  func tensors(of network: Network) throws -> [String: NamedTensor] {
    let others = experiment.networks.map(\.name).filter { $0 != network.name }
    do throws(FormatError) {
      let tensors = try SafeTensors.read(weights).filter { tensor in
        !others.contains { tensor.name.hasPrefix($0 + ".") }
      }
      return Dictionary(tensors.map { ($0.name, $0) }) { first, _ in first }
    } catch {
      throw DiagnosticError(error)
    }
  }
}

extension RunDirectory {
  /// The path of the description that the run was made from.
  fileprivate var originalDescription: String? {
    guard let bytes = try? InputFile.bytes(record), let json = try? JSON(bytes) else { return nil }
    return json["description"]?.string
  }
}

// MARK: messages

extension Diagnostic {
  fileprivate static func noRun(_ command: String) -> Diagnostic {
    Diagnostic(
      .noRun, "there is no complete run under `runs/`", at: nil,
      help: "name a description and its weights: "
        + "lgc \(command) MODEL.yaml --weights FILE.safetensors")
  }

  fileprivate static func notFinished(_ run: String) -> Diagnostic {
    Diagnostic(
      .noRun, "`\(run)` is no finished run: it has no weights.safetensors", at: nil,
      help: "train again, or name a finished run; they stand under runs/")
  }

  fileprivate static func noWeights(_ description: String) -> Diagnostic {
    Diagnostic(
      .missingSection, "`\(description)` is a description without weights", at: nil,
      help: "add --weights FILE.safetensors, or name a run directory")
  }
}
