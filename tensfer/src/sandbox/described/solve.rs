//! Expressions backwards: what must stand in a row for its fields to have given values.
//!
//! Each expression has a few ways to get a value (`ways`); the search goes through them field by field, and a row (`draft`)
//! counts only when the expressions, evaluated forwards, yield what was wanted.

mod draft;
mod ways;

use super::evaluate::{Out, Scope};
use super::expression::Expression;
use wire::Decimal;

pub use draft::{Draft, member_of, put};
use ways::Solver;

/// What an expression shall yield.
#[derive(Debug, Clone, PartialEq)]
pub enum Want {
    Text(String),
    /// Equal as a number.
    Number(Decimal),
    /// Nothing, or zero.
    Nothing,
    Absent,
    /// One of these texts.
    OneOf(Vec<String>),
}

/// An expression and its value.
pub type Goal<'g> = (&'g Expression, Want);

/// Ways to try for one goal before giving up on an earlier choice.
const WAYS: usize = 24;

/// Completes a draft so that every goal is met. `None`: no way was found.
pub fn solve(draft: &Draft, goals: &[Goal], scope: Scope) -> Option<Draft> {
    let mut budget = 4_000;
    // Numbers before what only asks for their sign.
    let asks_sign = |part: &Expression| matches!(part, Expression::Call(name, _) if name == "positive");
    let mut ordered = goals.to_vec();
    ordered.sort_by_key(|(expression, _)| expression.any(&asks_sign));
    search(draft, &ordered, goals, scope, &mut budget)
}

fn search(draft: &Draft, rest: &[Goal], all: &[Goal], scope: Scope, budget: &mut u32) -> Option<Draft> {
    *budget = budget.checked_sub(1)?;
    let Some(((expression, want), rest)) = rest.split_first() else {
        return draft.meets(all, scope).then(|| draft.clone());
    };
    let ways = Solver { scope }.ways(expression, want, draft);
    ways.into_iter().take(WAYS).find_map(|way| search(&way, rest, all, scope, budget))
}

impl Want {
    fn is_met(&self, out: Out) -> bool {
        match self {
            Self::Text(wanted) => out.text().as_deref() == Some(wanted),
            Self::Number(wanted) => out.number() == Some(*wanted),
            Self::Absent => out == Out::Absent,
            Self::Nothing => match out {
                Out::Absent => true,
                out => out.number().is_some_and(Decimal::is_zero),
            },
            Self::OneOf(texts) => out.text().is_some_and(|text| texts.contains(&text)),
        }
    }
}

/// Takes further goals in their order, each where it can be met beside those before.
pub fn solve_softly<'g>(
    mut goals: Vec<Goal<'g>>,
    more: Vec<Goal<'g>>,
    scope: Scope,
) -> Option<(Draft, Vec<Goal<'g>>)> {
    let mut draft = solve(&Draft::default(), &goals, scope)?;
    for goal in more {
        goals.push(goal);
        match solve(&Draft::default(), &goals, scope) {
            Some(better) => draft = better,
            None => {
                goals.pop();
            }
        }
    }
    Some((draft, goals))
}
