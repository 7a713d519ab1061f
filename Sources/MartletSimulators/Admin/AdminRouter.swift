import NIOCore
import NIOHTTP1

/// The admin API and the pages: which path does what.
struct AdminRouter: Sendable {
    let smscs: [SMSC]
    let board: HandsetBoard

    static let contentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    /// Messages fetched from an operator in one go while its list is written.
    static let chunk = 1000

    func answer(_ request: Request) async -> Response {
        guard request.isFromHere else { return .problem(.forbidden, "only pages of this server, by address or as localhost") }
        if let page = Pages.page(request.path) {
            guard request.method == .GET else { return wrongMethod("GET") }
            return page
        }
        let parts = request.path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
        switch (parts.first, parts.dropFirst().first) {
        case ("sim", "smsc"): return await smsc(request, Array(parts.dropFirst(2)))
        case ("sim", "handsets"): return await handsets(request, Array(parts.dropFirst(2)))
        case ("sim", "presets") where parts.count == 2:
            guard request.method == .GET else { return wrongMethod("GET") }
            return .json(.list(Behaviour.presets.map { .map([("name", .text($0.name)), ("title", .text($0.title))]) }))
        case ("healthz", nil): return .json(.map([("status", .text("ok"))]))
        default: return .problem(.notFound, "no such path; /sim/smsc lists the operators, /handsets is the page for people")
        }
    }

    private func wrongMethod(_ allowed: String) -> Response {
        var response = Response.problem(.methodNotAllowed, "use \(allowed)")
        response.headers = [("Allow", allowed)]
        return response
    }

    // MARK: Operators

    private func smsc(_ request: Request, _ rest: [String]) async -> Response {
        guard let first = rest.first else {
            guard request.method == .GET else { return wrongMethod("GET") }
            var rows: [JSONText.Value] = []
            for smsc in smscs {
                if let row = await smsc.row() { rows.append(row) }
            }
            return .json(.list(rows))
        }
        let words = first.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let smsc = smscs.first(where: { $0.settings.name == words[0] }) else {
            let names = smscs.map { $0.settings.name }.joined(separator: ", ")
            return .problem(.notFound, "no operator of this name; there are \(names)")
        }
        if words.count == 2 {
            guard rest.count == 1 else { return .problem(.notFound, "no such path") }
            return await verb(words[1], of: smsc, request)
        }
        switch (rest.dropFirst().first, rest.count) {
        case ("messages", 2):
            guard request.method == .GET else { return wrongMethod("GET") }
            return await messages(of: smsc, request)
        case ("stats", 2):
            guard request.method == .GET else { return wrongMethod("GET") }
            return .json(await smsc.stats()?.json ?? .null)
        case ("behaviour", 2):
            return await behaviour(of: smsc, request)
        case ("inbound", 2):
            guard request.method == .POST else { return wrongMethod("POST") }
            return await write(to: smsc, request)
        case (nil, 1):
            guard request.method == .GET else { return wrongMethod("GET") }
            return .json(await smsc.row() ?? .null)
        default:
            return .problem(.notFound, "an operator has messages, stats, behaviour and inbound")
        }
    }

    private func verb(_ verb: String, of smsc: SMSC, _ request: Request) async -> Response {
        switch verb {
        case "reset", "disconnect":
            guard request.method == .POST else { return wrongMethod("POST") }
            if verb == "reset" { await smsc.reset() } else { await smsc.disconnect() }
            return .json(await smsc.stats()?.json ?? .null)
        default:
            return .problem(.notFound, "an operator has :reset and :disconnect")
        }
    }

    /// POST /sim/smsc/harbour/inbound {"from": "447700900123", "to": "7070", "text": "STOP"}
    private func write(to smsc: SMSC, _ request: Request) async -> Response {
        var fields: [String: String] = [:]
        if let body = try? Loose.json(request.body), case .map(let entries) = body.kind {
            for entry in entries { if case .text(let value) = entry.value.kind { fields[entry.key] = value } }
        }
        for name in ["from", "to", "text"] where fields[name]?.isEmpty ?? true {
            let error = FieldError(field: name, reason: "must be a text: from is the phone, to the number it writes to")
            return .problem(.badRequest, "\(error)", field: error)
        }
        guard let from = fields["from"], let to = fields["to"], let text = fields["text"],
            let parts = await smsc.write(from: from.hasPrefix("+") ? String(from.dropFirst()) : from, to: to, text)
        else { return .problem(.badRequest, "an address has at most 20 characters of ASCII, a text at most 255 parts") }
        return .json(.map([("parts", .integer(parts))]))
    }

    private func behaviour(of smsc: SMSC, _ request: Request) async -> Response {
        switch request.method {
        case .GET:
            return .json(.map((await smsc.behaviour() ?? Behaviour()).fields.map { ($0.name, $0.value) }))
        case .POST:
            do {
                guard case .map(let fields) = try Loose.json(request.body).kind else {
                    return .problem(.badRequest, "the body must be a JSON object of fields to change")
                }
                return .json(.map(try await smsc.change(fields).fields.map { ($0.name, $0.value) }))
            } catch let error as FieldError {
                return .problem(.badRequest, "\(error)", field: error)
            } catch is LooseError {
                return .problem(.badRequest, "the body is not JSON")
            } catch {
                return .problem(.serviceUnavailable, "the operator is stopping")
            }
        default:
            return wrongMethod("GET, POST")
        }
    }

    /// A number in the query; nil: not one.
    private func number(_ name: String, _ request: Request, fallback: UInt64) -> UInt64? {
        guard let text = request.query[name] else { return fallback }
        return UInt64(text)
    }

    private func messages(of smsc: SMSC, _ request: Request) async -> Response {
        guard let since = number("since", request, fallback: 0), since < UInt64(Int64.max) else {
            return .problem(
                .badRequest, "since: must be a whole number",
                field: FieldError(field: "since", reason: "must be a whole number: the n of the last message you have"))
        }
        guard let limit = number("limit", request, fallback: UInt64(SMSCSettings.keepMaximum)), limit >= 1 else {
            return .problem(
                .badRequest, "limit: must be a whole number from 1",
                field: FieldError(field: "limit", reason: "must be a whole number from 1"))
        }
        let form = await smsc.behaviour()?.answerIdForm ?? .decimal
        return Response(
            content: .stream { stream in
                var n = since
                var left = Int(clamping: limit)
                var isFirst = true
                // What comes while the list is written is left to the next call.
                let end = await smsc.messages(after: 0, limit: 0).newest
                while n < end, left > 0 {
                    let found = await smsc.messages(after: n, limit: min(Self.chunk, left)).messages
                    var text: [UInt8] = isFirst ? [UInt8(ascii: "[")] : []
                    for kept in found where kept.n <= end {
                        guard let message = SeenMessage(kept, form: form, alphabets: smsc.settings.alphabets) else { continue }
                        if !isFirst { text.append(UInt8(ascii: ",")) }
                        text.append(0x0a)
                        isFirst = false
                        text += JSONText(message.json).bytes
                        left -= 1
                    }
                    guard let last = found.last else { break }
                    n = last.n
                    if !text.isEmpty { try await stream.write(text) }
                }
                try await stream.write(Array(isFirst ? "[]\n".utf8 : "\n]\n".utf8))
            })
    }

    // MARK: Handsets

    private func handsets(_ request: Request, _ rest: [String]) async -> Response {
        switch (request.method, rest.first, rest.count) {
        case (.GET, nil, 0):
            return .json(await board.snapshot())
        case (.GET, "events", 1):
            return Response(type: "text/event-stream", headers: [("X-Accel-Buffering", "no")], content: .events)
        case (.POST, let number?, 1) where number != "events":
            return await set(number, request)
        case (_, _, 0), (_, "events", 1): return wrongMethod("GET")
        case (_, _, 1): return wrongMethod("POST")
        default: return .problem(.notFound, "no such path")
        }
    }

    /// POST /sim/handsets/447700900123 {"mode": "off"}
    private func set(_ number: String, _ request: Request) async -> Response {
        let digits = number.hasPrefix("+") ? String(number.dropFirst()) : number
        guard (1...20).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            return .problem(.badRequest, "a number has 1 to 20 characters")
        }
        let modes = PhoneMode.allCases.map { $0.rawValue }.joined(separator: ", ")
        guard let body = try? Loose.json(request.body), case .map(let entries) = body.kind, entries.count == 1,
            let entry = entries.first, entry.key == "mode", case .text(let word) = entry.value.kind, let mode = PhoneMode(rawValue: word)
        else {
            let error = FieldError(field: "mode", reason: "must be one of \(modes)")
            return .problem(.badRequest, "\(error)", field: error)
        }
        guard await board.set(mode, of: digits) else {
            return .problem(.conflict, "at most \(PhoneBook.phonesMaximum) phones can be off or silent")
        }
        return .json(.map([("number", .text(digits)), ("mode", .text(mode.rawValue))]))
    }

    /// Server-sent events to one page until it goes. A page that does not read gets nothing more until it does.
    func events(to channel: any Channel) async {
        let id = await board.watch { event, data in
            guard channel.isWritable else { return false }
            var buffer = channel.allocator.buffer(capacity: data.count + event.utf8.count + 24)
            buffer.writeString("event: \(event)\ndata: ")
            buffer.writeBytes(data)
            buffer.writeString("\n\n")
            channel.writeAndFlush(HTTPServerResponsePart.body(.byteBuffer(buffer)), promise: nil)
            return true
        }
        guard let id else {
            channel.close(promise: nil)
            return
        }
        channel.flush()
        // The future of a closed channel does not fail.
        try? await channel.closeFuture.get()
        await board.leave(id)
    }
}
