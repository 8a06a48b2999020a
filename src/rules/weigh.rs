//! Findings compete for the same connection: the special before the general, the
//! violation before the silence that follows it, never a consequence beside its cause.
use super::{Basis, Check, Confidence, Evidence, Finding, Level, RULES, Rule, Scene, Verdict};

/// Most frames that one finding cites.
const MOST_EVIDENCE: usize = 12;

/// Everything that the rules find, in order of weight: the first one is the verdict.
pub fn diagnose(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = RULES.iter().filter_map(|rule| merged(scene, rule)).collect();
    silence(&mut findings);
    one_cause_a_connection(&mut findings);
    let late = scene.capture().filtered;
    for finding in &mut findings {
        let rule = RULES.iter().find(|rule| rule.id == finding.rule);
        let author = rule.is_some_and(|rule| rule.basis == Basis::Author);
        if (author || late) && finding.confidence == Confidence::High {
            finding.confidence = Confidence::Medium;
        }
    }
    let rank = |id: &str| RULES.iter().position(|rule| rule.id == id);
    findings.sort_by_key(|f| (f.level, f.confidence, rank(f.rule)));
    findings
}

/// All verdicts of one rule as one finding.
fn merged(scene: &Scene<'_>, rule: &'static Rule) -> Option<Finding> {
    let mut verdicts: Vec<Verdict> = match rule.check {
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
        Check::Device(check) => {
            scene.devices().iter().filter_map(|group| check(scene, group)).collect()
        }
        Check::Capture(check) => check(scene),
        Check::Comparison(check) => {
            scene.comparison.and_then(|c| check(scene, c)).into_iter().collect()
        }
    };
    // The strongest speaks; the others add connections and evidence.
    verdicts.sort_by_key(|v| (v.level, v.confidence));
    let weakest = verdicts.first()?.level;
    let mut all = verdicts.into_iter().filter(|v| v.level == weakest);
    let first = all.next()?;
    let mut finding = Finding {
        rule: rule.id,
        title: rule.title.to_owned(),
        level: first.level,
        confidence: first.confidence,
        capture: scene.subject,
        connections: first.connections,
        says: first.says,
        evidence: evidence(scene, first.evidence, first.reference_evidence),
        rules_out: first.rules_out,
        would_settle: first.would_settle,
        remedies: first.remedies,
        sources: rule.sources.to_vec(),
    };
    for other in all {
        finding.connections.extend(other.connections);
        let room = MOST_EVIDENCE.saturating_sub(finding.evidence.len());
        finding.evidence.extend(
            evidence(scene, other.evidence, other.reference_evidence).into_iter().take(room),
        );
        for remedy in other.remedies {
            if !finding.remedies.contains(&remedy) {
                finding.remedies.push(remedy);
            }
        }
    }
    finding.evidence.truncate(MOST_EVIDENCE);
    finding.connections.sort_unstable();
    finding.connections.dedup();
    Some(finding)
}

fn evidence(
    scene: &Scene<'_>,
    subject: Vec<(u32, String)>,
    reference: Vec<(u32, String)>,
) -> Vec<Evidence> {
    let other = scene.comparison.map_or(scene.subject, |c| c.reference.capture);
    let of = |capture, list: Vec<(u32, String)>| {
        list.into_iter()
            .map(move |(frame, text)| Evidence { capture, frame, text })
            .collect::<Vec<_>>()
    };
    let mut all = of(scene.subject, subject);
    // What the working side did stands right behind the first frame: it is what to compare with.
    let place = all.len().min(1);
    all.splice(place..place, of(other, reference));
    all
}

/// A finding that explains another's connections takes them from it.
fn silence(findings: &mut Vec<Finding>) {
    let speaking: Vec<(&'static [&'static str], Vec<u32>)> = findings
        .iter()
        .filter(|f| f.level != Level::Note)
        .filter_map(|f| Some((super::rule(f.rule)?.silences, f.connections.clone())))
        .collect();
    for (silenced, connections) in &speaking {
        for finding in
            findings.iter_mut().filter(|f| silenced.contains(&f.rule) && f.level != Level::Note)
        {
            let had = !finding.connections.is_empty();
            finding.connections.retain(|c| !connections.contains(c));
            if had && finding.connections.is_empty() {
                // Marked for removal below.
                finding.evidence.clear();
            }
        }
    }
    findings.retain(|f| !f.evidence.is_empty());
}

/// Two rules may not both be *the* cause of one failed connection.
fn one_cause_a_connection(findings: &mut [Finding]) {
    let mut explained: Vec<u32> = Vec::new();
    let mut order: Vec<usize> =
        (0..findings.len()).filter(|i| findings[*i].level == Level::Cause).collect();
    order.sort_by_key(|i| findings[*i].confidence);
    for index in order {
        let finding = &mut findings[index];
        if !finding.connections.is_empty()
            && finding.connections.iter().all(|c| explained.contains(c))
        {
            finding.level = Level::Suspect;
        } else {
            explained.extend(&finding.connections);
        }
    }
}
