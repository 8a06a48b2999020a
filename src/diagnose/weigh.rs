//! Findings compete for the same connection: the special before the general, the
//! violation before the silence that follows it, never a consequence beside its cause.
use super::both_sides::{self, Also};
use super::{
    Basis, Check, Confidence, Evidence, Facts, Finding, Level, Place, RULES, Rule, Scene, Sight,
    Verdict, absences, log_alone, remedies, what_if, witnessed,
};
use crate::packet::Address;
use crate::prose;
use crate::text;
use crate::timeline::{Capture, Connection, Fitness, FitnessKind};
use std::collections::{BTreeMap, BTreeSet};

/// Most frames that one finding cites.
const MOST_EVIDENCE: usize = 12;

/// What one rule says, while it competes with the others.
pub(super) struct Claim {
    pub rule: &'static Rule,
    pub verdict: Verdict,
    /// What is missing of the captures that it rests on.
    lack: Option<&'static str>,
    /// The working side shows the same.
    pub also: Option<Also>,
    /// A log says it, and no packet.
    from_log: bool,
}

impl Claim {
    pub fn speaks(&self) -> bool {
        self.verdict.level != Level::Note
    }

    /// Where both are about one connection, this one is the reason of the other, or more special.
    /// What is only suspected takes no cause away.
    fn silences(&self, other: &Self) -> bool {
        self.verdict.level <= other.verdict.level && self.rule.silences.contains(&other.rule.id)
    }
}

/// Everything that the rules find, in order of weight: the first one is the verdict.
pub fn diagnose(scene: &Scene<'_>) -> Vec<Finding> {
    let mut claims = all_claims(scene);
    both_sides::explain_nothing(scene, &mut claims);
    let mut findings = merged(scene, compete(give_way(claims)));
    let rank = |id: &str| RULES.iter().position(|rule| rule.id == id);
    // Of equals, the one about the links that are compared.
    let compared = scene.compared().map(|c| c.number);
    let elsewhere = |f: &Finding| !compared.is_some_and(|number| f.connections.contains(&number));
    findings.sort_by_key(|f| (f.level, f.confidence, rank(f.rule), elsewhere(f)));
    findings
}

/// What a rule says of some connections before the findings compete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Considered {
    /// The id of the rule.
    pub rule: &'static str,
    /// How much it says.
    pub level: Level,
    /// How sure it is.
    pub confidence: Confidence,
    /// The connections that it is about, by their numbers.
    pub connections: Vec<u32>,
}

/// Everything that was considered, also what gave way to something stronger. No report shows it: it tells whether
/// a finding about a part of a capture is true of the whole.
pub fn considered(scene: &Scene<'_>) -> Vec<Considered> {
    let claims = all_claims(scene).into_iter();
    let told = |Claim { rule, verdict, .. }: Claim| Considered {
        rule: rule.id,
        level: verdict.level,
        confidence: verdict.confidence,
        connections: verdict.connections,
    };
    claims.map(told).collect()
}

/// All that the rules say, before they compete.
pub(super) fn all_claims(scene: &Scene<'_>) -> Vec<Claim> {
    let devices = scene.devices();
    let mut claims: Vec<Claim> =
        RULES.iter().flat_map(|rule| claims(scene, &devices, rule)).collect();
    let alone = log_alone::verdicts(scene).into_iter();
    claims.extend(alone.filter_map(|(rule, verdict)| {
        Some(Claim { from_log: true, ..claim(scene, rule, verdict)? })
    }));
    packets_first(&mut claims);
    claims
}

/// What only a log says never takes the place of what the packets prove, and a rule of logs alone yields to the rules
/// that know the packets, too: then it is no more than a note.
fn packets_first(claims: &mut [Claim]) {
    let of_log = |claim: &Claim| matches!(claim.rule.check, Check::Witness(_));
    let strongest = |claims: &[Claim], of: &dyn Fn(&Claim) -> bool| {
        claims.iter().filter(|claim| claim.speaks() && of(claim)).map(|c| c.verdict.level).min()
    };
    let packets = strongest(claims, &|claim| !claim.from_log && !of_log(claim));
    for claim in claims.iter_mut().filter(|claim| claim.from_log) {
        if packets.is_some_and(|level| level == Level::Cause || claim.verdict.level != Level::Cause)
        {
            claim.verdict.level = Level::Note;
        }
    }
    if strongest(claims, &|claim| !of_log(claim)).is_some() {
        for claim in claims.iter_mut().filter(|claim| of_log(claim)) {
            claim.verdict.level = Level::Note;
        }
    }
}

/// Rules about what two hosts say to each other, which a sniffer hears as well as a host.
const ON_AIR_TOO: [&str; 6] = [
    "att-request-unanswered",
    "hangs-up-after-command",
    "hangs-up-before-any-att",
    "insufficient-auth-no-pairing",
    "pairing-refused-by-peer",
    "unexplained-end",
];

/// All that one rule says, as sure as the capture allows.
fn claims(scene: &Scene<'_>, devices: &[Vec<&Connection>], rule: &'static Rule) -> Vec<Claim> {
    // What is true of a host's capture need not be true of the air: there are no commands and no events.
    let of_air = |capture: &Capture| capture.on_air();
    let air = scene.captures.get(scene.subject).is_some_and(of_air)
        || scene.comparison.is_some() && scene.captures.iter().any(of_air);
    if air && !matches!(rule.check, Check::Air(_)) && !ON_AIR_TOO.contains(&rule.id) {
        return Vec::new();
    }
    let verdicts: Vec<Verdict> = match rule.check {
        Check::Air(check) => super::on_air::heard(scene)
            .iter()
            .filter_map(|heard| {
                let mut verdict = check(scene, heard)?;
                if verdict.connections.is_empty() {
                    verdict.connections.push(heard.host.number);
                }
                Some(verdict)
            })
            .collect(),
        Check::Connection(check) => scene
            .capture()
            .connections
            .iter()
            .filter_map(|c| {
                let mut verdict = check(scene, c)?;
                if verdict.connections.is_empty() {
                    verdict.connections.push(c.number);
                }
                Some(verdict)
            })
            .collect(),
        Check::Device(check) => devices.iter().filter_map(|group| check(scene, group)).collect(),
        Check::Capture(check) => check(scene),
        Check::Witness(check) => scene.witnesses().filter_map(|of| check(scene, of)).collect(),
        Check::Comparison(check) => {
            scene.comparison.and_then(|c| check(scene, c)).into_iter().collect()
        }
    };
    verdicts.into_iter().filter_map(|verdict| claim(scene, rule, verdict)).collect()
}

/// A verdict as sure as the capture allows; without a frame that proves it, none.
fn claim(scene: &Scene<'_>, rule: &'static Rule, mut verdict: Verdict) -> Option<Claim> {
    let evidence = verdict.facts().evidence();
    if evidence.is_empty() || absences::may_be_hidden(scene.capture(), rule.id, &verdict) {
        return None;
    }
    // A rule that no capture backs is never sure, and neither is anybody who saw only a part.
    if rule.basis == Basis::Author {
        verdict.confidence = verdict.confidence.max(Confidence::Medium);
    }
    let lack = lack(scene, &verdict, &evidence);
    if lack.is_some() {
        verdict.confidence = match verdict.confidence {
            Confidence::High => Confidence::Medium,
            Confidence::Medium | Confidence::Low => Confidence::Low,
        };
    }
    let lack = lack.filter(|_| verdict.level != Level::Note);
    Some(Claim { rule, verdict, lack, also: None, from_log: false })
}

/// What a rule itself says of a scene, before the findings compete: how loud, how sure, of which links.
#[cfg(test)]
pub(super) fn said(scene: &Scene<'_>, rule: &'static Rule) -> Vec<(Level, Confidence, Vec<u32>)> {
    let all = claims(scene, &scene.devices(), rule).into_iter().map(|claim| claim.verdict);
    all.map(|Verdict { level, confidence, connections, .. }| (level, confidence, connections))
        .collect()
}

/// The same, with the frames that it cites of the capture under diagnosis.
#[cfg(test)]
pub(super) fn cited(
    scene: &Scene<'_>,
    rule: &'static Rule,
) -> Vec<(Level, Confidence, Vec<u32>, Vec<u32>)> {
    let all = claims(scene, &scene.devices(), rule).into_iter().map(|claim| claim.verdict);
    all.map(|verdict| {
        let here = verdict.facts().evidence();
        let here = here.iter().filter(|sight| sight.place == Place::Here).map(|sight| sight.frame);
        (verdict.level, verdict.confidence, verdict.connections.clone(), here.collect())
    })
    .collect()
}

/// What is missing of the captures that a verdict rests on.
fn lack(scene: &Scene<'_>, verdict: &Verdict, evidence: &[Sight]) -> Option<&'static str> {
    let partial = |capture: &Capture| {
        let lossy =
            |f: &Fitness| matches!(f.kind, FitnessKind::DroppedPackets | FitnessKind::Filtered);
        capture.filtered || capture.fitness.iter().any(lossy)
    };
    let late = |capture: &Capture, number: &u32| {
        capture.connection(*number).is_some_and(|c| !c.start_seen)
    };
    let reference = scene
        .comparison
        .map(|c| c.reference)
        .filter(|_| evidence.iter().any(|sight| sight.place == Place::Reference))
        .and_then(|side| Some((scene.captures.get(side.capture)?, side.connection)));
    if partial(scene.capture()) || reference.is_some_and(|(capture, _)| partial(capture)) {
        return Some("packets are cut or missing here; record them whole");
    }
    let began_late = verdict.connections.iter().any(|number| late(scene.capture(), number))
        || reference.is_some_and(|(capture, number)| late(capture, &number));
    began_late.then_some("the link was already up when this one began; record first, then connect")
}

/// Rules that only say how a link ended: they speak where no rule explains it. The later give way to the earlier.
const LAST: [&str; 3] = ["hangs-up-after-command", "hangs-up-before-any-att", "unexplained-end"];

/// Rules that describe a link and do not explain its end, beside which those may speak.
const BESIDE: [&str; 6] = [
    "weak-link",
    "too-far",
    "short-supervision-by-peer",
    "client-never-answers-indication",
    "interval-differs",
    "features-differ",
];

/// Those who speak last give way, link by link: to each suspicion or cause, and to a note of a rule that names
/// them among those it silences.
pub(super) fn give_way(mut claims: Vec<Claim>) -> Vec<Claim> {
    for last in LAST.iter().rev() {
        let earlier = |rule: &str| {
            let place = |id: &str| LAST.iter().position(|other| *other == id);
            place(rule).is_none_or(|other| Some(other) < place(last))
        };
        let explained: BTreeSet<u32> = claims
            .iter()
            .filter(|claim| earlier(claim.rule.id) && !BESIDE.contains(&claim.rule.id))
            .filter(|claim| claim.speaks() || claim.rule.silences.contains(last))
            .flat_map(|claim| claim.verdict.connections.iter().copied())
            .collect();
        for claim in claims.iter_mut().filter(|claim| claim.rule.id == *last) {
            claim.verdict.connections.retain(|number| !explained.contains(number));
        }
        claims.retain(|claim| claim.rule.id != *last || !claim.verdict.connections.is_empty());
    }
    claims
}

/// Claims compete for each connection. A claim that is only the consequence of another one gives way. If several
/// causes are left, the first is the cause of this connection, and the others are suspected.
pub(super) fn compete(mut claims: Vec<Claim>) -> Vec<Claim> {
    // Rules are in order already.
    claims.sort_by_key(|claim| (claim.verdict.level, claim.verdict.confidence));
    let mut rivals: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (index, claim) in claims.iter_mut().enumerate().filter(|(_, claim)| claim.speaks()) {
        claim.verdict.connections.sort_unstable();
        claim.verdict.connections.dedup();
        for connection in &claim.verdict.connections {
            rivals.entry(*connection).or_default().push(index);
        }
    }
    // Of which connections a claim is the cause, and of which it only might be.
    let mut won = vec![(Vec::new(), Vec::new()); claims.len()];
    for (connection, rivals) in rivals {
        let mut explained = false;
        for index in standing(&claims, rivals) {
            let Some((first, second)) = won.get_mut(index) else { continue };
            let cause = claims[index].verdict.level == Level::Cause;
            if cause && explained {
                second.push(connection)
            } else {
                first.push(connection)
            }
            explained |= cause;
        }
    }
    let mut left = Vec::new();
    for (mut claim, (first, second)) in claims.into_iter().zip(won) {
        if !claim.speaks() || claim.verdict.connections.is_empty() {
            left.push(claim);
            continue;
        }
        if !second.is_empty() {
            let verdict =
                Verdict { level: Level::Suspect, connections: second, ..claim.verdict.clone() };
            left.push(Claim { verdict, ..claim });
        }
        if !first.is_empty() {
            claim.verdict.connections = first;
            left.push(claim);
        }
    }
    left
}

/// Of the claims about one connection, in order of weight, those that no other silences. One that is
/// silenced itself silences nobody.
fn standing(claims: &[Claim], mut rivals: Vec<usize>) -> Vec<usize> {
    let mut standing = Vec::new();
    while !rivals.is_empty() {
        let silenced = |index: &usize| {
            rivals.iter().any(|other| other != index && claims[*other].silences(&claims[*index]))
        };
        // Two that silence each other: the one of more weight.
        let place = rivals.iter().position(|index| !silenced(index)).unwrap_or(0);
        let speaker = rivals.remove(place);
        rivals.retain(|index| !claims[speaker].silences(&claims[*index]));
        standing.push(speaker);
    }
    standing.sort_unstable();
    standing
}

/// What each rule still claims as one finding; more, where it is the cause of one failure and only
/// suspected in another, or where its claims stand apart. Only here facts become sentences.
fn merged(scene: &Scene<'_>, mut claims: Vec<Claim>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    let mut apart: Vec<(u8, Whom)> = Vec::new();
    claims.sort_by_key(|claim| (claim.verdict.level, claim.verdict.confidence));
    for claim in claims {
        let Claim { rule, verdict, .. } = &claim;
        let own = (verdict.apart, whom(scene, &claim));
        let same = findings
            .iter()
            .zip(&apart)
            .position(|(f, apart)| f.rule == rule.id && f.level == verdict.level && *apart == own);
        // The strongest speaks; the others add connections, evidence and remedies.
        if let Some(finding) = same.and_then(|index| findings.get_mut(index)) {
            add(scene, finding, claim.verdict);
            continue;
        }
        // A note adds nothing to what its rule says already of the same device, unless it stands apart.
        let said = |(f, apart): (&Finding, &(u8, Whom))| f.rule == rule.id && *apart == own;
        if verdict.level == Level::Note && findings.iter().zip(&apart).any(said) {
            continue;
        }
        apart.push(own);
        findings.push(finding(scene, claim));
    }
    for finding in &mut findings {
        finding.connections.sort_unstable();
        finding.connections.dedup();
        if finding.level != Level::Note {
            witnessed::second(scene.testimonies, finding);
        }
        advise(scene, finding);
    }
    findings
}

/// Which device a claim is about: claims about two devices become two findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whom {
    Device(Address),
    /// Several devices, the adapter, the host, or a device that nothing names: a private address that nobody
    /// resolved may be that of any device.
    Anybody,
}

fn whom(scene: &Scene<'_>, claim: &Claim) -> Whom {
    if !matches!(claim.rule.check, Check::Connection(_) | Check::Device(_)) {
        return Whom::Anybody;
    }
    let first = claim.verdict.connections.first();
    let peer = first.and_then(|number| scene.capture().connection(*number)).map(|c| &c.peer);
    match peer.and_then(|peer| Some((peer, peer.who()?))) {
        Some((peer, who)) if peer.identity.is_some() || !peer.has_private_address() => {
            Whom::Device(who)
        }
        _ => Whom::Anybody,
    }
}

fn finding(scene: &Scene<'_>, claim: Claim) -> Finding {
    let Claim { rule, verdict, lack, also, .. } = claim;
    let facts = verdict.facts();
    let mut finding = Finding {
        rule: rule.id,
        title: rule.title,
        level: verdict.level,
        confidence: verdict.confidence,
        capture: scene.subject,
        connections: Vec::new(),
        says: facts.says(),
        evidence: Vec::new(),
        rules_out: facts.rules_out(),
        would_settle: facts.would_settle(),
        remedies: Vec::new(),
        no_use: Vec::new(),
        what_if: None,
        sources: rule.sources.to_vec(),
    };
    if let Some(Also { source, frame }) = also {
        finding.says = finding.says.and(text!(
            " The reference shows the same ({}), so this explains no difference.",
            prose::frame(source, frame)
        ));
    }
    finding.would_settle.extend(lack.map(|lack| text!("A better capture: {}.", lack)));
    add(scene, &mut finding, verdict);
    finding
}

/// What to do about it, what is of no use, and what would have been in time.
fn advise(scene: &Scene<'_>, finding: &mut Finding) {
    remedies::advise(scene, finding);
    let capture = scene.capture();
    let links: Vec<&Connection> =
        finding.connections.iter().filter_map(|number| capture.connection(*number)).collect();
    finding.what_if = what_if::of_finding(finding.rule, scene, &links);
}

/// What a claim adds to the finding that it is a part of.
fn add(scene: &Scene<'_>, finding: &mut Finding, verdict: Verdict) {
    let facts = verdict.facts();
    let room = MOST_EVIDENCE.saturating_sub(finding.evidence.len());
    finding.evidence.extend(evidence(scene, facts).into_iter().take(room));
    for remedy in facts.remedies() {
        let remedy = remedy.offered(scene.capture());
        finding.remedies.extend(remedy.filter(|remedy| !finding.remedies.contains(remedy)));
    }
    finding.connections.extend(verdict.connections);
}

fn evidence(scene: &Scene<'_>, facts: &dyn Facts) -> Vec<Evidence> {
    let other = scene.comparison.map_or(scene.subject, |c| c.reference.capture);
    let of = |Sight { place, frame, text }| {
        let source = match place {
            Place::Here => scene.subject.into(),
            Place::Reference => other.into(),
            Place::Source(source) => source,
        };
        let on_air = scene.testimonies.iter().any(|of| of.source == source && of.air.is_some());
        Evidence { source, frame, text, on_air }
    };
    let (reference, others): (Vec<_>, Vec<_>) =
        facts.evidence().into_iter().partition(|sight| sight.place == Place::Reference);
    let mut all: Vec<Evidence> = others.into_iter().map(of).collect();
    // What the working side did stands right behind the first frame: it is what to compare with.
    let behind = all.len().min(1);
    all.splice(behind..behind, reference.into_iter().map(of));
    all
}

#[cfg(test)]
mod tests;
