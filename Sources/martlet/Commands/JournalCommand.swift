import ArgumentParser
import Journal
import MartletModel

struct JournalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "journal", abstract: "The journal.", subcommands: [Verify.self, Acts.self])

    struct Acts: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "acts",
            abstract:
                "Lists what people did to the node, with starts and stops, as far back as the journal goes. Reads beside a running node.")

        @Argument(help: "Directory of the journal: `journal` under the data directory.") var directory = "data/journal"

        func run() throws {
            var rows = [["at", "act"]]
            do {
                _ = try Journal.verify(directory) { _, bytes in
                    // Nearly all records are of messages; one that cannot be read is verify's to tell.
                    guard bytes.first == RecordKind.mark.rawValue, let record = try? Record(reading: bytes),
                        case .mark(let mark) = record.body
                    else { return }
                    switch mark.what {
                    case .started: rows.append([timestamp(record.header.at), "started"])
                    case .stopped: rows.append([timestamp(record.header.at), "stopped"])
                    case .operated: rows.append([timestamp(record.header.at), mark.text])
                    case .credit, .head, .hold: break
                    }
                }
            } catch {
                print("martlet: \(directory) cannot be read: \(error)")
                throw ExitCode(1)
            }
            Table.print(rows)
        }
    }

    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract: "Counts the records and names any damage; exit 1 if there is some. Reads beside a running node.")

        @Argument(help: "Directory of the journal: `journal` under the data directory.") var directory = "data/journal"

        func run() throws {
            let report: Report
            do {
                report = try Journal.verify(directory)
            } catch {
                print("martlet: \(directory) cannot be read: \(error)")
                throw ExitCode(1)
            }
            print("\(report.records) records in \(report.batches) batches, \(report.segments.count) segment(s), \(report.bytes) bytes")
            if let torn = report.tornEnd {
                print("segment \(torn.segment): the batch at \(torn.offset) was torn or is being written; nobody was told it was durable")
            }
            for damage in report.damage {
                let lost = damage.lost.map { "\($0) lost" } ?? "losses unknown"
                print(
                    "segment \(damage.segment): \(damage.kind.rawValue) at \(damage.offset), \(damage.length) bytes; \(damage.salvaged) salvaged, \(lost)"
                )
            }
            print(report.isSound ? "sound" : "\(report.damageCount) damaged place(s)")
            if !report.isSound { throw ExitCode(1) }
        }
    }
}
