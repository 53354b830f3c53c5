import Constraints
import Datasets
import Diagnostics
import Formats
import Glibc
import Layers
import Losses
import Model
import Optimizers
import Regularisers
import Training
import YAML

/// The description a command works on.
enum DescriptionFile {
  /// Every kind that lgc knows.
  static var catalogs: Catalogs {
    Catalogs(
      layers: LayersCatalog.all, constraints: ConstraintsCatalog.all, losses: LossesCatalog.all,
      adversarialLosses: LossesCatalog.adversarial, regularisers: RegularisersCatalog.all,
      optimizers: OptimizersCatalog.all, datasets: DatasetsCatalog.all,
      augmentations: AugmentationsCatalog.all)
  }

  /// Reads a description; `-` is standard input. Reading stops just past the size limit, so that
  /// an endless pipe is refused and not read.
  static func read(_ path: String) throws(DiagnosticError) -> SourceFile {
    let isInput = path == "-"
    let descriptor = isInput ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw DiagnosticError(.cannotRead(path, errno)) }
    defer { if !isInput { close(descriptor) } }
    let limit = Limits.standard.bytes + 1
    var bytes: [UInt8] = []
    var information = stat()
    if fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG {
      bytes.reserveCapacity(min(Int(information.st_size), limit))
    }
    let chunk = 1 << 16
    while bytes.count < limit {
      let size = min(chunk, limit - bytes.count)
      var problem: Int32?
      let more = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
        var result: Int
        repeat {
          result = Glibc.read(descriptor, buffer.baseAddress, size)
        } while result < 0 && errno == EINTR
        if result < 0 { problem = errno }
        count = max(0, result)
      }
      if let problem { throw DiagnosticError(.cannotRead(path, problem)) }
      if more.isEmpty { break }
      bytes += more
    }
    return SourceFile(path: isInput ? "<stdin>" : path, bytes: bytes)
  }

  /// The experiment of a description that stands in a run directory.
  static func experiment(_ path: String) throws -> Experiment {
    let (experiment, diagnostics) = loadExperiment(
      try read(path), catalogs: catalogs, directory: directory(of: path))
    guard let experiment else { throw DescriptionErrors(diagnostics: diagnostics) }
    return experiment
  }

  /// Where relative paths in a run's description start: the folder that it was read from.
  static func home(of run: RunDirectory) -> String {
    guard let bytes = try? InputFile.bytes(run.record), let json = try? JSON(bytes),
      let folder = json["folder"]?.string
    else { return "." }
    return folder
  }

  /// The classifier of a finished run.
  static func classifier(
    _ run: RunDirectory, _ machine: MachineOptions
  ) throws -> FeatureClassifier {
    guard run.isComplete else {
      throw DiagnosticError(
        Diagnostic(.noRun, "`\(run.path)` is no complete run", at: nil))
    }
    return try FeatureClassifier(
      experiment(run.resolved), run: run, engine: machine.engine.engine, threads: machine.threads)
  }

  /// Where relative paths in the description start: its own folder, for standard input the
  /// current one.
  static func directory(of path: String) -> String {
    guard path != "-", let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}

extension Diagnostic {
  fileprivate static func cannotRead(_ path: String, _ code: Int32) -> Diagnostic {
    let reason = String(cString: strerror(code))
    let name = path == "-" ? "standard input" : "`\(path)`"
    return Diagnostic(
      .cannotRead, "cannot read \(name): \(reason.prefix(1).lowercased() + reason.dropFirst())",
      at: nil)
  }
}
