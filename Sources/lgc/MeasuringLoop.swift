import ArgumentParser
import Diagnostics
import Glibc

/// What a measuring command does line by line of standard input, so that a benchmark can measure
/// several programs in turn: `run N` measures N times; `kernels N` measures the products and
/// convolutions alone, each N times. Every line is answered by one line of JSON.
enum MeasuringLoop {
  static func serve(
    run: (Int) throws -> JSONValue, kernels: (Int) throws -> Double?
  ) throws {
    while let line = readLine() {
      let words = line.split(separator: " ")
      guard words.count == 2, let count = Int(words[1]), count >= 0 else {
        throw ValidationError(expected(line))
      }
      switch words[0] {
      case "run": Console.write(try run(count).compactText + "\n", to: STDOUT_FILENO)
      case "kernels":
        let value = JSONValue.object([("milliseconds", JSONValue(try kernels(count)))])
        Console.write(value.compactText + "\n", to: STDOUT_FILENO)
      default: throw ValidationError(expected(line))
      }
    }
  }

  private static func expected(_ line: String) -> String {
    "expected `run N` or `kernels N`, found `\(line)`"
  }
}
