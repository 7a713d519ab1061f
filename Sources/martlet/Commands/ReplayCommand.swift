import ArgumentParser
import Guard
import MartletChannels
import MartletEngine
import MartletModel
import MartletNode
import SMSText

struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Decides again every event that the journal holds, from what its decision read; beside a running node or without one.",
        discussion: """
            Under the release that decided it, each must come out as its record says. With --release or --rulebook it is decided by another rulebook \
            instead, to see which rule would change what for whom before it is published. Nothing is sent or counted, \
            and nothing written but the file that --changes names.
            Exit codes: 0 every decision came out the same, or with another rulebook all were compared; 1 some did not, were damaged, or \
            could not be compared; 2 bad settings or a wrong key.
            """)

    @OptionGroup var place: StoreCommand.Place
    @Option(help: "Number of the release to decide by instead of those that decided.") var release: UInt32?
    @Option(help: "Folder of a rulebook's files (martlet rulebook export) to decide by instead.") var rulebook: String?
    @Option(help: "Decisions from this moment on (RFC 3339).") var from: Moment?
    @Option(help: "Decisions before this moment (RFC 3339).") var until: Moment?
    @Option(help: "New file that gets a line of JSON for each decision that would be another one, with the customer's number.") var changes:
        String?
    @Flag(help: "One JSON document instead of lines.") var json = false

    /// A moment in wall microseconds.
    struct Moment: ExpressibleByArgument {
        var at: Int64

        init?(argument: String) {
            guard let at = moment(argument.utf8) else { return nil }
            self.at = at
        }
    }

    func validate() throws {
        guard release == nil || rulebook == nil else { throw ValidationError("--release and --rulebook exclude each other") }
        guard changes == nil || release != nil || rulebook != nil else {
            throw ValidationError("--changes goes with --release or --rulebook: under the release that decided nothing changes")
        }
        if let from, let until, from.at >= until.at { throw ValidationError("--from must be before --until") }
    }

    func run() async throws {
        let settings = try AtRest.settings(file: place.config, data: place.data)
        guard AtRest.exists(settings.node.journalDirectory) else {
            throw AtRest.failure("\(settings.node.journalDirectory) is not there: no node has worked on this data yet")
        }
        let keys = try AtRest.keys(settings)
        let subjects: SubjectKeys?
        do throws(SubjectKeyFault) {
            subjects = try AtRest.subjects(settings.node.subjectKeyDirectory, keys.master)
        } catch {
            throw AtRest.failure("\(error)", ExitStatus.badSettings)
        }
        let releases = ReplayReleases(settings, keys.days)
        let replay = DecisionReplay(
            from: from?.at ?? .min, until: until?.at ?? .max, other: try await other(settings, releases),
            books: { await releases.book($0) })
        let file = try changes.map { try ChangesFile($0) }
        let log = RecordedDecisions(settings.node.journalDirectory, keys: RecordKeys(days: keys.days, subjects: subjects))
        let clock = ContinuousClock()
        let began = clock.now
        var told = began
        let report: ReplayReport
        do {
            let names = await releases.names
            report = try await replay.run(
                log,
                progress: { report in
                    guard clock.now - told > .seconds(2) else { return }
                    told = clock.now
                    JSONLogHandler.toStandardError("martlet: \(report.decisions) decisions in \(report.records) records so far\n")
                }, changed: { try file?.write(ReplayText.line($0, names: names)) })
            try file?.finish()
        } catch let fault as ChangesFile.Fault {
            throw AtRest.failure(fault.description)
        } catch {
            throw AtRest.failure("\(settings.node.journalDirectory) cannot be read: \(error)")
        }
        let text = ReplayText(report, names: await releases.names, seconds: (clock.now - began) / .seconds(1))
        if json { print(text.document) } else { for line in text.lines { print(line) } }
        if !report.isSound { throw ExitCode(1) }
    }

    /// - Throws: exit code 1, having said why it cannot be used.
    private func other(_ settings: ServerSettings, _ releases: ReplayReleases) async throws -> DecisionReplay.Other? {
        let book: DecisionBook
        if let release {
            guard let found = await releases.book(release) else {
                throw AtRest.failure(
                    "release \(release) is kept neither in \(settings.node.localDirectory) nor in the store, or this version cannot use it; "
                        + "martlet rulebook list --releases shows those there are")
            }
            book = found
        } else if let rulebook {
            let files: [RulebookFiles.File]
            do { files = try RulebookFiles(folder: rulebook).read() } catch { throw RulebookCommand.refused(error.lines) }
            let (made, lines, _) = RulebookFiles.compile(
                files, ReplayReleases.surroundings(settings), known: await releases.numbers)
            guard let made else { throw RulebookCommand.refused(lines) }
            book = made
        } else {
            return nil
        }
        await releases.name(book)
        // Operators may count differently; a text that stays as it is keeps the parts that were sent.
        let rules = settings.connections.first?.settings.profile.rules ?? .standard
        return DecisionReplay.Other(
            book: book,
            count: { text in
                do throws(TextFault) {
                    let (plan, shape) = try rules.plan(text, flash: false)
                    return Engine.TextCount(parts: plan.parts, submits: plan.submits, shape: shape.code)
                } catch {
                    return nil
                }
            }, limit: settings.node.engine.partsMaximum)
    }
}
