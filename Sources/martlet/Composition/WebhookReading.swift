import Guard
import MartletDoors
import MartletModel
import MartletSettings

extension ServerSettings {
    mutating func takeOutbound(_ values: SettingValues, _ mistakes: inout [Mistake]) {
        typealias Own = OutboundSettings
        for element in values.elements("outbound.allow") {
            var ports: [Int] = []
            for text in element.list(Own.ports) {
                guard let port = Int(text), (1...65_535).contains(port) else {
                    mistakes.append(element.mistake(Own.ports, "'\(text)' is no port", remedy: "give numbers from 1 to 65535"))
                    continue
                }
                ports.append(port)
            }
            guard let entry = OutboundRules.Entry(element.text(Own.host), ports: ports, plaintextReason: element.filled(Own.plaintext))
            else {
                mistakes.append(
                    element.mistake(
                        Own.host, "neither a host name nor an address or block of addresses",
                        remedy: "write hooks.bank.example, 10.20.0.7 or 10.20.0.0/16"))
                continue
            }
            outbound.entries.append(entry)
        }
        guard let file = values.filled(Own.authority) else { return }
        outboundAuthority = file
        do {
            if try OutboundClient.authorityCount(file) == 0 {
                mistakes.append(values.mistake(Own.authority, "the file holds no certificate", remedy: "name a PEM file"))
            }
        } catch {
            mistakes.append(
                values.mistake(Own.authority, "the file cannot be read as PEM", remedy: "name a PEM file that Martlet may read"))
        }
    }

    mutating func takeWebhook(_ element: SettingValues, _ environment: [String: String], _ mistakes: inout [Mistake]) {
        typealias Own = WebhookSettings
        let source = element.text(Own.source)
        if smpp.accounts.contains(where: { $0.source == source }) {
            mistakes.append(
                element.mistake(
                    Own.source, "an SMPP account sends as '\(source)', and hears of its messages there",
                    remedy: "give one of them a source of its own"))
        }
        if webhooks.contains(where: { $0.source == source }) {
            mistakes.append(
                element.mistake(Own.source, "'\(source)' has a webhook already", remedy: "give each webhook a source of its own"))
        }
        let tells = Webhook.tells(element.list(Own.ends))
        if tells?.isEmpty ?? true {
            mistakes.append(element.mistake(Own.ends, "ends are delivered and failed", remedy: "write [delivered, failed], or one of them"))
        }
        var url: OutboundURL?
        do throws(OutboundFault) {
            let read = try OutboundURL(element.text(Own.url))
            url = read
            if !outbound.mayAllow(read) {
                mistakes.append(
                    element.mistake(
                        Own.url, "outbound.allow does not allow \(read.place)\(read.isPlaintext ? " in plaintext" : "")",
                        remedy: "add an entry for this host and port, or correct the URL"))
            }
        } catch {
            mistakes.append(element.mistake(Own.url, error.description, remedy: "correct it"))
        }
        do throws(WebhookSecret.Fault) {
            let secrets = try WebhookSecret.load(from: element.text(Own.secretFile), credentials: environment["CREDENTIALS_DIRECTORY"])
            guard let url, let tells else { return }
            webhooks.append(
                Webhook(
                    source: source, url: url, secrets: secrets, timeout: element.duration(Own.timeout),
                    inFlight: element.integer(Own.inFlight), tells: tells))
        } catch {
            mistakes.append(element.mistake(Own.secretFile, error.description, remedy: "correct the file"))
        }
    }
}
