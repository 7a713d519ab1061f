import MartletModel
import NIOCore

// The JSON this door writes, but for the 202, which `HTTPStationery` keeps ready.

extension Story {
    /// Answer of `GET /v1/messages/{id}` and `GET /v1/notifications/{id}`: the obligation with its message inside, or a message from a handset.
    /// - Parameter catalogue: where the key of an event is found.
    func stateDocument(_ catalogue: EventCatalogue = .empty) -> ByteBuffer {
        if state == .received { return inboundDocument() }
        var json = JSONWriter(capacity: 1024)
        json.object { json in
            json.member("id", id.notification.text)
            json.member("state", state.notificationWord)
            json.member("reason", reason == .none ? nil : reason.word)
            if let failedHop { json.member("failedHop", failedHop.rawValue) }
            json.member("class", messageClass.word)
            json.member("createdAt", timestamp(createdAt))
            json.member("updatedAt", timestamp(updatedAt))
            json.member("deadline", timestamp(deadline))
            if !reference.isEmpty { json.member("reference", reference) }
            if let trace { json.member("traceparent", trace.text) }
            json.member("from", from)
            json.member("to", to.digits == 0 ? "" : to.international)
            writeEvent(catalogue, to: &json)
            json.key("messages")
            json.array { json in
                guard hasMessage else { return }
                json.object { json in
                    json.member("id", id.with(ordinal: 1).text)
                    json.member("channel", "sms")
                    json.member("state", state.word)
                    json.member("parts", Int(parts))
                    json.member("possibleDuplicate", possibleDuplicate || attempts.contains(where: \.possibleDuplicate))
                    json.key("attempts")
                    json.array { json in
                        for attempt in attempts { attempt.write(to: &json) }
                    }
                }
            }
        }
        return json.sink.bytes
    }

    private func inboundDocument() -> ByteBuffer {
        var json = JSONWriter(capacity: 512)
        json.object { json in
            json.member("id", id.notification.text)
            json.member("direction", "inbound")
            json.member("state", state.word)
            json.member("receivedAt", timestamp(createdAt))
            // The payload is the sender's: there the handset's address is its reference.
            json.member("from", reference)
            json.member("to", from)
            json.member("parts", Int(parts))
            json.member("inReplyTo", inReplyTo == .none ? nil : inReplyTo.text)
        }
        return json.sink.bytes
    }

    /// Answer of `GET /v1/messages/{id}/trace`. Details stand beside `at`, `hop` and `what`, which they never replace.
    /// - Parameter catalogue: where the key of an event is found, which records have the number of.
    func traceDocument(_ catalogue: EventCatalogue = .empty) -> ByteBuffer {
        let hops = hops.map { $0.naming(catalogue) }
        var json = JSONWriter(capacity: 2048)
        json.array { json in
            for hop in hops {
                json.object { json in
                    json.member("at", timestamp(hop.at))
                    json.member("hop", hop.hop)
                    json.member("what", hop.what)
                    for (name, value) in hop.details where !["at", "hop", "what"].contains(name) { json.pair(name, value) }
                }
            }
        }
        return json.sink.bytes
    }
}

extension Story.Attempt {
    fileprivate func write(to json: inout JSONWriter<DocumentSink>) {
        json.object { json in
            json.member("n", n)
            json.member("connection", connection)
            json.member("state", state.word)
            json.key("providerIds")
            json.array { json in
                for id in providerIDs { json.string(id) }
            }
            json.member("submittedAt", submittedAt == 0 ? nil : timestamp(submittedAt))
            json.member("possibleDuplicate", possibleDuplicate)
            json.key("receipts")
            json.array { json in
                for receipt in receipts { receipt.write(to: &json) }
            }
        }
    }
}

extension Story.PartReceipt {
    fileprivate func write(to json: inout JSONWriter<DocumentSink>) {
        json.object { json in
            json.member("part", part)
            json.member("providerId", providerID)
            json.member("state", state?.word)
            json.key("error")
            if error == 0 { json.null() } else { json.integer(Int64(error)) }
            json.member("at", at == 0 ? nil : timestamp(at))
        }
    }
}

extension MessageID {
    /// Answer of `POST /v1/messages/{id}:cancel`.
    var cancelledDocument: ByteBuffer {
        var json = JSONWriter(capacity: 80)
        json.object { json in
            json.member("id", text)
            json.member("state", MessageState.cancelled.word)
        }
        return json.sink.bytes
    }
}

extension HTTPProblem {
    var body: ByteBuffer {
        var json = JSONWriter(capacity: 256)
        json.object { json in write(to: &json) }
        return json.sink.bytes
    }

    /// As a line of a batch's answer: what stands in the header of a whole answer is a member.
    var line: ByteBuffer {
        var json = JSONWriter(capacity: 256)
        json.object { json in
            write(to: &json)
            if let retryAfterSeconds { json.member("retryAfter", retryAfterSeconds) }
        }
        json.endLine()
        return json.sink.bytes
    }

    private func write(to json: inout JSONWriter<DocumentSink>) {
        json.member("type", "/problems/\(code.code)")
        json.member("title", code.title)
        json.member("status", code.status)
        if !detail.isEmpty { json.member("detail", detail) }
        guard !errors.isEmpty else { return }
        json.key("errors")
        json.array { json in
            for error in errors {
                json.object { json in
                    json.member("path", error.path)
                    json.member("code", error.code.code)
                    json.member("message", error.message)
                }
            }
        }
    }
}

extension ReadyState {
    var document: [UInt8] {
        var json = JSONWriter(capacity: 64)
        json.object { json in
            json.member("ready", isReady)
            json.key("reasons")
            json.array { json in
                for reason in reasons { json.string(reason) }
            }
        }
        return Array(json.sink.bytes.readableBytesView)
    }
}

/// Where documents are written to.
struct DocumentSink: JSONSink {
    var bytes: ByteBuffer

    mutating func put(_ octet: UInt8) { bytes.writeInteger(octet) }
    mutating func put(_ octets: UnsafeRawBufferPointer) { bytes.writeBytes(octets) }
}

extension JSONWriter<DocumentSink> {
    init(capacity: Int) {
        var bytes = ByteBuffer()
        bytes.reserveCapacity(capacity)
        self.init(into: DocumentSink(bytes: bytes))
    }

    /// A member that is null when there is no value.
    mutating func member(_ key: StaticString, _ value: String?) {
        self.key(key)
        if let value { string(value) } else { null() }
    }

    fileprivate mutating func pair(_ key: String, _ value: String) {
        self.key(text: key)
        string(value)
    }
}
