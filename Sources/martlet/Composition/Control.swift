import Dispatch
import FoundationEssentials
import Logging
import MartletChannels
import MartletDoors
import MartletModel
import MartletNode
import MartletSettings
import NIOCore

/// What people do to a running node through its control socket. Each act stands in the journal as a mark.
extension Server {
    func control(_ request: ControlRequest, _ peer: ControlPeer, _ answer: @escaping (ControlAnswer) -> Void) {
        if node.isStopping, !["status", "connections", "trace", "queue", "customers"].contains(request.verb) {
            return answer(.failed("the node is stopping"))
        }
        switch request.verb {
        case "status": answer(status())
        case "connections": answer(.done("", connectionTable()))
        case "start", "stop", "hold", "release": act(request, peer, answer)
        case "drain": drain(request, peer, answer)
        case "hold-class", "release-class": hold(request, peer, answer)
        case "queue": queue(answer)
        case "purge": purge(request, peer, answer)
        case "move": move(request, peer, answer)
        case "reload": reload(peer, answer)
        case "sources":
            node.note("sources read again", by: peer.who)
            answer(reloadSources())
        case "rulebook": rulebook.look(answer)
        case "send": send(request, answer)
        case "trace": trace(request, answer)
        case "customers": answer(customers())
        case "customers-apply": applyCustomers(request, answer)
        case "keys-forget": forgetKeys(request, answer)
        default: answer(.failed("unknown verb '\(request.verb)'"))
        }
    }

    private func connectionTable() -> [[String]] {
        var rows = [["connection", "state", "outstanding", "queued in group", "receipt ids", "since", "last error"]]
        for connection in connections.values.sorted(by: { $0.name < $1.name }) {
            let status = connection.status
            rows.append([
                connection.name, connection.isHeld ? "\(status.state.rawValue), held" : status.state.rawValue, String(status.outstanding),
                String(node.queued(connection.group)), connection.receiptReadingWords, timestamp(status.since), status.lastError,
            ])
        }
        return rows
    }

    private func act(_ request: ControlRequest, _ peer: ControlPeer, _ answer: @escaping (ControlAnswer) -> Void) {
        guard let name = request.name, let connection = connections[name] else { return answer(missing(request.name)) }
        node.note("\(request.verb) connection \(name)", by: peer.who)
        switch request.verb {
        case "start":
            guard connection.status.state == .stopped else {
                return answer(.failed("\(name) is \(connection.status.state.rawValue), not stopped"))
            }
            do {
                try connection.start()
                answer(.done("\(name) is starting"))
            } catch {
                answer(.failed("\(name): \(error)"))
            }
        case "stop": connection.stop { answer(.done("\(name) is stopped")) }
        case "hold":
            connection.hold()
            answer(.done("\(name) takes no new messages"))
        default:
            connection.release()
            answer(.done("\(name) takes messages again"))
        }
    }

    /// Reads the settings file again, away from the loop, and applies what may change at run time: connections, their settings,
    /// routes, sources.
    private func reload(_ peer: ControlPeer, _ answer: @escaping (ControlAnswer) -> Void) {
        let (file, directory) = (settingsFile, dataDirectory)
        let bound = NIOLoopBound((server: self, peer: peer, answer: answer), eventLoop: loop)
        let loop = self.loop
        DispatchQueue.global().async {
            let fresh = Result {
                let settings = try ServerSettings.read(
                    file: file, dataDirectory: directory, environment: ProcessInfo.processInfo.environment)
                return (settings, try NumberFile.numbers(of: settings.connections.map(\.group), in: "\(directory)/groups"))
            }
            loop.execute {
                let (server, peer, answer) = bound.value
                switch fresh {
                case .success(let (settings, groups)): answer(server.apply(settings, groups, by: peer.who))
                case .failure(let mistakes as ServerSettings.Mistakes):
                    answer(ControlAnswer(ok: false, message: "nothing was changed", rows: mistakes.lines.map { [$0] }))
                case .failure(let error): answer(.failed("nothing was changed: \(error)"))
                }
            }
        }
    }

    private func apply(_ fresh: ServerSettings, _ numbers: [String: GroupNumber], by who: String) -> ControlAnswer {
        if let obstacle = obstacle(to: fresh) { return .failed("nothing was changed: \(obstacle)") }
        groups = numbers
        node.groupNames = Dictionary(uniqueKeysWithValues: groups.map { ($1, $0) })
        var done: [[String]] = []
        for entry in fresh.connections { apply(entry, &done) }
        let names = Set(fresh.connections.map(\.settings.name))
        for (name, connection) in connections where !names.contains(connection.settings.name) {
            done.append([name, "stopping, no longer in the settings"])
            leaving.insert(connection.settings.name)
            connection.stop { [self] in
                node.remove(connection)
                connections[name] = nil
                leaving.remove(connection.settings.name)
            }
        }
        for (name, number) in groups where !fresh.connections.contains(where: { $0.group == name }) && node.queued(number) > 0 {
            done.append([name, "\(node.queued(number)) messages wait in this group, which has no connection any more"])
        }
        node.set(routes: rulebook.routes(fresh, groups))
        node.set(connected: Server.connected(fresh, groups))
        // Nothing has been handed over since the connections were changed: the new credit is not durable before this turn ends.
        node.set(texts: texts)
        node.set(inquiries: inquiries)
        done.append(["sources", reloadSources().message])
        if settings.smpp.accounts != fresh.smpp.accounts {
            // One that listens takes whatever there is, none too: an account that is gone must not stay.
            if smppDoor.isListening {
                smppDoor.replace(fresh.smpp.accounts)
                done.append(["smpp", "\(fresh.smpp.accounts.count) accounts"])
            } else {
                done.append(["smpp", "the SMPP server is switched on at the next start"])
            }
        }
        node.set(inbound: inboundRules(fresh))
        if settings.http.cardNumbers != fresh.http.cardNumbers {
            door.cardNumbers = fresh.http.cardNumbers
            smppDoor.cardNumbers = fresh.smpp.cardNumbers
            done.append(["guard", "cardNumbers: \(fresh.http.cardNumbers.rawValue)"])
        }
        do {
            try applyWebhooks(fresh)
            if !fresh.webhooks.isEmpty || !settings.webhooks.isEmpty { done.append(["webhooks", "\(fresh.webhooks.count)"]) }
        } catch {
            done.append(["webhooks", "left as they were: \(error)"])
        }
        settings = fresh
        node.note("reload of the settings", by: who)
        done.append(["others", "settings of the node, its doors and journal apply at the next start"])
        return .done("reloaded", done)
    }

    /// What cannot be changed while the node runs.
    private func obstacle(to fresh: ServerSettings) -> String? {
        if let missing = missingSource(fresh) { return missing }
        if let missing = rulebook.missingGroup(fresh) { return missing }
        for entry in fresh.connections {
            let name = entry.settings.name
            if leaving.contains(name) { return "\(name) is still stopping; reload again in a few seconds" }
            guard let present = settings.connections.first(where: { $0.settings.name == name }) else { continue }
            if present.group != entry.group { return "the group of \(name) needs a restart; or give it another name" }
            if present.settings.binds != entry.settings.binds { return "the number of binds of \(name) needs a restart" }
        }
        return nil
    }

    private func apply(_ entry: ServerSettings.ConnectionEntry, _ done: inout [[String]]) {
        let present = connections.values.filter { $0.settings.name == entry.settings.name }
        do {
            if present.isEmpty {
                try add(entry)
                done.append([entry.settings.name, "started"])
            } else if present.contains(where: { $0.settings != entry.settings }), let group = groups[entry.group] {
                let others = present.map(\.settings)
                try node.changingCredit(of: group) { for connection in present { try connection.reconfigure(entry.settings) } }
                if others.contains(where: { $0.hasOtherPeer(than: entry.settings) }) { node.askAnew(group) }
                done.append([entry.settings.name, "other settings applied"])
            }
        } catch {
            done.append([entry.settings.name, "left as it was: \(error)"])
        }
    }

    private func reloadSources() -> ControlAnswer {
        do {
            registry.replace(try SourceFile.load(dataDirectory))
            takeSources()
            return .done("\(registry.all.count) sources")
        } catch {
            return .failed(error.description)
        }
    }

    private func send(_ request: ControlRequest, _ answer: @escaping (ControlAnswer) -> Void) {
        let fields = request.fields ?? [:]
        let to: PhoneNumber
        do {
            to = try PhoneNumber.parse((fields["to"] ?? "").utf8)
        } catch {
            return answer(.failed("--to: an international number such as +447700900123 is needed (\(error))"))
        }
        guard let messageClass = MessageClass(word: fields["class"] ?? "transactional") else {
            return answer(.failed("--class: one of \(MessageClass.allCases.map(\.word).joined(separator: ", "))"))
        }
        let (from, reference) = (fields["from"] ?? "MARTLET", fields["reference"] ?? "")
        var text = fields["text"] ?? ""
        switch MessageShape.text(text) {
        case nil: break
        case .controlCharacter: return answer(.failed("--text: no control characters but line feed, carriage return, tab and form feed"))
        case .blank, .tooLong: return answer(.failed("--text: more than white space is needed"))
        }
        switch CardNumbers.examine(text, settings.http.cardNumbers) {
        case .clean: break
        case .masked(let masked): text = masked
        case .refused: return answer(.failed("--text: no card numbers (guard.cardNumbers)"))
        }
        guard MessageShape.isSender(from) else {
            return answer(.failed("--from: 1 to 15 digits, or 1 to 11 printable characters of the GSM default alphabet with a letter"))
        }
        guard MessageShape.reference(reference) == nil else {
            return answer(.failed("--reference: at most 64 bytes of UTF-8 without control characters"))
        }
        let submission = Submission(
            source: commandLineSource, messageClass: messageClass, to: to, from: from, text: text, reference: reference,
            receivedAt: node.now())
        node.submit(submission) { acceptance in
            switch acceptance {
            case .accepted(let id, let parts), .repeated(let id, let parts):
                answer(.done(id.text, [["id", id.text], ["parts", String(parts)]]))
            case .refused(let refusal): answer(.failed("refused: \(refusal)"))
            }
        }
    }

    private func trace(_ request: ControlRequest, _ answer: @escaping (ControlAnswer) -> Void) {
        guard let id = MessageID(text: request.name ?? "") else { return answer(.failed("an id has 32 hexadecimal digits")) }
        node.story(of: id) { result in
            switch result {
            case .failure(let fault): answer(.failed(fault.reason))
            case .success(nil): answer(.failed("no message of this id is in the journal"))
            case .success(var story?):
                let catalogue = self.node.catalogue
                story.name(events: { catalogue.key(of: $0) }, packages: { catalogue.package($0) })
                answer(.done(Server.headline(story), Server.hops(story)))
            }
        }
    }

    private static func headline(_ story: Story) -> String {
        let reason = story.reason == .none ? "" : " (\(story.reason.word))"
        return "\(story.id.text): \(story.state.word)\(reason), \(story.messageClass.word), to \(story.to.masked), \(story.parts) part(s)"
    }

    private static func hops(_ story: Story) -> [[String]] {
        var rows = [["at", "after", "hop", "what", "details"]]
        for hop in story.hops {
            let details = hop.details.map { "\($0.0)=\($0.1)" }.joined(separator: " ")
            rows.append([timestamp(hop.at), after(hop.at - story.createdAt), hop.hop, hop.what, details])
        }
        return rows
    }

    private static func after(_ microseconds: Int64) -> String {
        let size = abs(microseconds)
        return "\(microseconds < 0 ? "-" : "+")\(size / 1000).\(String(size % 1000).padded) ms"
    }
}

/// Messages sent by `martlet send` belong to no source: number 0.
let commandLineSource: SourceNumber = 0

extension String {
    fileprivate var padded: String { String(repeating: "0", count: max(0, 3 - utf8.count)) + self }
}
