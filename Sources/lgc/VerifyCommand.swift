import ArgumentParser
import Diagnostics
import Formats
import Glibc
import Rounding
import Training
import Verification

struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Checks a certificate against the weights it is about.",
    discussion: """
      Repeats what `lgc bound --certificate` proved, with code of its own: every operator's bound \
      is proved again from the weights, and every number that follows from them is recomputed. \
      What no longer holds, because a bit of the weights or of the certificate differs, is refused \
      with the place.

      The certificate may be a run directory, by default the newest; the weights are then its own. \
      With a description the \
      certificate must be about that very network; without one, compare the hash that is printed.

      Exit codes: 0 accepted; 1 refused; 2 a file cannot be read.
      """)

  @ArgumentParser.Argument(
    help: ArgumentHelp(
      "A certificate, or a run directory (default: the newest complete run).",
      valueName: "certificate|run"))
  var certificate: String?

  @ArgumentParser.Argument(
    help: ArgumentHelp("The description that it must be about.", valueName: "model.yaml"))
  var model: String?

  @Option(help: ArgumentHelp("The weights.", valueName: "file.safetensors"))
  var weights: String?

  @Option(help: "How to print the result.")
  var format = CheckCommand.Format.text

  @Option(help: "Whether to colour the output.")
  var color = ColorChoice.auto

  func run() throws {
    try Failure.reported(color: color) {
      let start = ContinuousClock.now
      let (path, stored) = try sources()
      let descriptions = try model.map { try VerifiedModel.descriptions($0) }
      let (text, tensors) = try read(path, stored)
      let outcome: Result<Verification, VerificationError>
      do throws(VerificationError) {
        outcome = .success(
          try verify(certificate: text, weights: tensors, descriptions: descriptions))
      } catch {
        outcome = .failure(error)
      }
      let elapsed = start.duration(to: .now).components
      let seconds = Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
      if format == .json {
        Console.write(json(outcome, seconds).text + "\n", to: STDOUT_FILENO)
      } else if case .success(let verification) = outcome {
        Console.write(self.text(verification, path, seconds), to: STDOUT_FILENO)
      }
      guard case .failure(let error) = outcome else { return 0 }
      if case .refused = error {
        if format == .text { Failure.report([error.diagnostic(path)], color: color) }
        return 1
      }
      throw DiagnosticError(error.diagnostic(path))
    }
  }

  private func sources() throws -> (certificate: String, weights: String) {
    guard let certificate = certificate ?? RunDirectory.newest()?.path else {
      throw DiagnosticError(
        Diagnostic(.noRun, "there is no complete run under `runs/`", at: nil))
    }
    var information = stat()
    if stat(certificate, &information) == 0, information.st_mode & S_IFMT == S_IFDIR {
      return ("\(certificate)/bound.json", weights ?? "\(certificate)/weights.safetensors")
    }
    guard let weights else {
      throw DiagnosticError(
        Diagnostic(
          .missingSection, "`\(certificate)` is a certificate without weights", at: nil,
          help: "add --weights FILE.safetensors, or name a run directory"))
    }
    return (certificate, weights)
  }

  private func read(
    _ certificate: String, _ weights: String
  ) throws -> ([UInt8], [NamedTensor]) {
    do throws(FormatError) {
      return (try InputFile.bytes(certificate), try SafeTensors.read(weights))
    } catch {
      throw DiagnosticError(error)
    }
  }

  private func text(_ verification: Verification, _ path: String, _ seconds: Double) -> String {
    let rows = verification.claims.map { claim in
      [
        claim.norm.rawValue, "≤ \(claim.bound.text(significant: 8))",
        claim.method + (verification.domain.map { " for inputs in \($0.domainText)" } ?? ""),
      ]
    }
    let milliseconds = Int((seconds * 1000).rounded())
    return "accepted: the Lipschitz bound of `\(verification.name)`\n\n"
      + aligned(rows, rightAligned: []).map { "  \($0)\n" }.joined()
      + "\nnetwork \(verification.description)\n"
      + "\(path), \(verification.operators) operators, \(verification.tensors) tensors, "
      + "\(milliseconds) ms\n"
  }

  private func json(
    _ outcome: Result<Verification, VerificationError>, _ seconds: Double
  ) -> JSONValue {
    var members: [(key: String, value: JSONValue)] = [(key: "lgc", value: .string(LGC.version))]
    switch outcome {
    case .success(let verification):
      members += [
        (key: "accepted", value: true), (key: "network", value: .string(verification.name)),
        (key: "description", value: .string(verification.description)),
        (key: "bounds", value: .array(verification.claims.map { claim in
          .object([
            (key: "norm", value: .string(claim.norm.rawValue)),
            (key: "upper", value: .decimal(claim.bound.json)),
            (key: "method", value: .string(claim.method)),
          ])
        })),
        (key: "domain", value: verification.domain?.json ?? .null),
        (key: "operators", value: .int(verification.operators)),
        (key: "tensors", value: .int(verification.tensors)),
      ]
    case .failure(let error):
      members += [
        (key: "accepted", value: false), (key: "reason", value: .string(error.reason)),
        (key: "at", value: JSONValue(error.place)),
      ]
    }
    members.append((key: "seconds", value: .double(seconds)))
    return .object(members)
  }
}

extension ClosedRange<Double> {
  var json: JSONValue { .array([.double(lowerBound), .double(upperBound)]) }
}

extension VerificationError {
  fileprivate func diagnostic(_ path: String) -> Diagnostic {
    switch self {
    case .refused:
      Diagnostic(
        .certificateRefused, "certificate refused: \(message)", at: nil,
        help: "prove the bound of these weights again: lgc bound --certificate FILE")
    case .unreadable: Diagnostic(.badFormat, "`\(path)`: \(message)", at: nil)
    case .unusable: Diagnostic(.cannotRead, message, at: nil)
    }
  }
}
