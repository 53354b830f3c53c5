import Diagnostics
import Model
import Testing

@testable import Datasets

@Suite struct CSVDataTests {
  let files = DataFiles()
  private let iris = "length,width,species\n5.1,3.5,setosa\n7,3.2,\"virginica\"\n6.4,2.8,setosa\n"

  @Test func columnsAreFoundByNameAndClassesSorted() throws {
    try files.write("a.csv", iris)
    let data = try files.load("{type: csv, path: a.csv, label: species}")
    #expect(data.train.shape == [2] && data.train.count == 3 && data.test == nil)
    #expect(data.train.floats == [5.1, 3.5, 7, 3.2, 6.4, 2.8])
    #expect(data.classNames == ["setosa", "virginica"])
    #expect(data.train.labels == [0, 1, 0] && data.train.classCount == 2)
  }

  @Test func columnsAreFoundByNumberWithoutAHeader() throws {
    try files.write("a.csv", "0;1.5;2\n2;3;4\n")
    let data = try files.load(
      "{type: csv, path: a.csv, header: false, delimiter: ;, label: 0, features: [-1, 1]}")
    #expect(data.train.floats == [2, 1.5, 4, 3])
    #expect(data.train.labels == [0, 2] && data.train.classCount == 3 && data.classNames == nil)
  }

  @Test func targetsAreNumbers() throws {
    try files.write("a.csv", "x,y,z\n1,2,3\n4,5,6\n")
    let data = try files.load("{type: csv, path: a.csv, targets: [z, x]}")
    #expect(data.train.floats == [2, 5] && data.train.targets == [3, 1, 6, 4])
    #expect(data.train.targetShape == [2] && data.train.labels.isEmpty)
    let one = try files.load("{type: csv, path: a.csv, targets: y}")
    #expect(one.train.targets == [2, 5] && one.train.shape == [2])
  }

  @Test func theTestFileHasTheClassesOfTheTrainingFile() throws {
    try files.write("a.csv", iris)
    try files.write("b.csv", "length,width,species\n1,2,virginica\n")
    let data = try files.load("{type: csv, path: a.csv, test_path: b.csv, label: species}")
    #expect(data.test?.labels == [1] && data.test?.classCount == 2)
    try files.write("b.csv", "length,width,species\n1,2,virginia\n")
    let found = try diagnostic {
      _ = try files.load("{type: csv, path: a.csv, test_path: b.csv, label: species}")
    }
    #expect(place(found) == "b.csv:2:5: `virginia` is none of the 2 classes")
    #expect(found.code == .dataLabels)
    #expect(found.help?.contains("`virginica`") == true)
  }

  @Test func classesMayBeNamedInTheirOrder() throws {
    try files.write("a.csv", iris)
    let data = try files.load(
      "{type: csv, path: a.csv, label: species, classes: [virginica, setosa, versicolor]}")
    #expect(data.train.labels == [1, 0, 1] && data.train.classCount == 3)
  }

  @Test func rowsCanBeImages() throws {
    try files.write("a.csv", "0,1,2,3,4\n1,5,6,7,8\n")
    let columns = "path: a.csv, header: false, label: 0"
    let data = try files.load("{type: csv, \(columns), shape: [1, 2, 2]}")
    #expect(data.train.shape == [1, 2, 2] && data.train.floats == [1, 2, 3, 4, 5, 6, 7, 8])
    let found = try diagnostic { _ = try files.load("{type: csv, \(columns), shape: [1, 2, 3]}") }
    #expect(found.message == "4 features do not make a sample of [1, 2, 3]")
  }

  @Test(arguments: [
    ("a,b\n1,2\n3,x\n", "a.csv:3:3: expected a number, found `x`"),
    ("a,b\n1,2\n3,\n", "a.csv:3:3: expected a number, found nothing"),
    ("a,b\n1,2\n3\n", "a.csv:3:1: this row has 1 columns, the first line has 2"),
    ("a,b\n\n1,nan\n", "a.csv:3:3: `nan` is not a finite float32 number"),
    ("a,b\n1,1e39\n", "a.csv:2:3: `1e39` is not a finite float32 number"),
    ("a,b\n1,\"2\n", "a.csv:2:3: this quoted field does not end"),
    ("a,b\n,2\n", "a.csv:2:1: this row has no label"),
    ("a,b\n-1,2\n", "a.csv:2:1: the label -1 is not from 0 to 999999"),
    ("a,b\n3000000,2\n", "a.csv:2:1: the label 3000000 is not from 0 to 999999"),
  ])
  func whatIsWrongIsShownInTheFile(_ text: String, _ message: String) throws {
    try files.write("a.csv", text)
    let found = try diagnostic { _ = try files.load("{type: csv, path: a.csv, label: a}") }
    #expect(place(found) == message)
  }

  @Test(arguments: [
    ("", "label: a", "holds no rows"), ("a,b\n", "label: a", "holds no rows"),
    ("a,b\n1,2\n", "label: c", "has no column `c`"),
    ("a,a\n1,2\n", "label: a", "has 2 columns `a`"),
    ("a,b\n1,2\n", "label: 2", "has 2 columns, none with the number 2"),
    ("a,b\n1,2\n", "label: a, features: [a, b]", "column 0 is among the features"),
    ("a\n1\n", "label: a", "has no column for features"),
  ])
  func columnsThatAreNotThereAreShownInTheDescription(
    _ text: String, _ keys: String, _ message: String
  ) throws {
    try files.write("a.csv", text)
    let found = try diagnostic { _ = try files.load("{type: csv, path: a.csv, \(keys)}") }
    #expect(place(found).contains(message), "\(place(found))")
  }

  @Test func aMissingFileIsNamed() throws {
    let found = try diagnostic { _ = try files.load("{type: csv, path: none.csv, label: a}") }
    #expect(found.code == .dataFile && found.message.hasSuffix("no such file or directory"))
    #expect(found.message.contains("none.csv"))
  }
}
