import Guard
import Logging
import MartletDoors
import MartletModel
import MartletNode
import NIOCore
import Synchronization

/// The webhooks of a server and the one client they post with.
extension Server {
    /// Makes the client when the first webhook wants it.
    static func makeWebhooks(_ node: Node, _ outbound: Outbound, _ logger: Logger) -> Webhooks {
        Webhooks(
            owner: node, eventLoop: node.loop,
            post: { request in
                guard let client = outbound.client else { return .failure(.stopped) }
                do throws(OutboundFault) {
                    return .success(try await client.send(request).status)
                } catch {
                    return .failure(error)
                }
            },
            now: { node.now() }, report: { report($0, logger) })
    }

    /// Webhooks, where they may lead, and what HTTP submissions of their sources ask for.
    func applyWebhooks(_ fresh: ServerSettings) throws {
        try outbound.apply(fresh)
        takeTells(fresh)
        webhooks.replace(fresh.webhooks, sources: registry)
    }

    /// Which ends HTTP submissions of the webhooks' sources ask to hear of.
    func takeTells(_ settings: ServerSettings) {
        door.tells = Dictionary(
            uniqueKeysWithValues: settings.webhooks.compactMap { webhook in
                registry.source(named: webhook.source).map { ($0.number, webhook.tells) }
            })
    }

    /// No new work, and no telling; open answers are waited for. Both ways of telling back stop at once.
    func stopDoors(then: @escaping () -> Void) {
        var left = 2
        let one = { [self] in
            left -= 1
            if left == 0 { door.stop(within: .seconds(2), then: then) }
        }
        webhooks.stop(within: .seconds(2), then: one)
        smppDoor.stop(within: .seconds(2), then: one)
    }

    private static func report(_ report: WebhookReport, _ logger: Logger) {
        switch report {
        case .failing(let source, let place, let kind, let milliseconds):
            logger.warning(
                "a webhook fails and is left alone for a while",
                metadata: ["source": "\(source)", "place": "\(place)", "failure": "\(kind)", "milliseconds": "\(milliseconds)"])
        case .recovered(let source, let place):
            logger.notice("a webhook is well again", metadata: ["source": "\(source)", "place": "\(place)"])
        case .gone(let source, let place):
            logger.error(
                "a webhook says that it is gone (410): nothing is posted there until its source asks for it or the settings are reloaded",
                metadata: ["source": "\(source)", "place": "\(place)"])
        case .parked(let source, let id):
            logger.warning(
                "every try to tell a webhook of an end failed: told only when its source asks",
                metadata: ["source": "\(source)", "id": "\(id.text)"])
        }
    }
}

/// The one outbound client, made when something wants it: no thread before.
final class Outbound: Sendable {
    private let held = Mutex<OutboundClient?>(nil)

    var client: OutboundClient? { held.withLock { $0 } }

    /// Ends its connections and threads, for good.
    func stop() async { await client?.stop() }

    func apply(_ settings: ServerSettings) throws {
        try held.withLock { client in
            if let client { return client.replace(settings.outbound) }
            guard !settings.webhooks.isEmpty else { return }
            var options = OutboundClient.Options()
            options.authority = settings.outboundAuthority
            options.connections = 256
            client = try OutboundClient(settings.outbound, options)
        }
    }
}
