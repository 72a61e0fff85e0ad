# Reference values for nested levels, by R: writes tests/reference/nested.json and two files of tests/reference/data.
#
# Needs lme4, glmmTMB, mlmRev, numDeriv, Matrix, jsonlite (Debian: r-cran-*).
# Run from the repository's root: Rscript scripts/reference_nested.R
#
# Two methods, none of which shares code with the package:
#   gaussian  the closed-form likelihood over whole top-level groups, compared with lmer(REML = FALSE).
#   laplace   glmmTMB, polished by Newton steps on its exact gradient, compared with glmer.
# Standard errors come from the observed information in all parameters as reported, variances on their own scale.

suppressPackageStartupMessages({
  library(lme4)
  library(glmmTMB)
  library(mlmRev)
})

root <- "tests/reference"
values <- list()

# ---------------------------------------------------------------------------------------------------- data

keep <- function(name, frame) {
  # What is fitted is what is written: read back, so that rounding in the file cannot matter.
  path <- file.path(root, "data", paste0(name, ".csv"))
  write.csv(frame, path, row.names = FALSE, quote = FALSE)
  read.csv(path)
}

mmmec <- keep("mmmec", with(Mmmec, data.frame(
  nation = as.character(nation), region = as.integer(region), county = as.integer(county), deaths = deaths,
  expected = expected, uvb = uvb
)))
fife <- keep("fife", transform(
  read.csv(gzfile("src/memagic/datasets/fifeschool.csv.gz")),
  above = as.integer(attain > 6)
))

# ------------------------------------------------------------------------------------------------- reporting

record <- function(id, data, command, method, fit, names, note) {
  names(fit$par) <- names(fit$se) <- names
  cat(sprintf("%-34s %.6f  %s\n", id, fit$ll, note))
  values[[length(values) + 1]] <<- list(
    id = id, data = data, command = command, method = method, note = note,
    ll = fit$ll, params = as.list(fit$par), se = as.list(fit$se)
  )
}

# A level is its path and the effects in the order reported, the constant last. With two effects it has a covariance.
level <- function(path, effects = "_cons") list(path = path, effects = effects)

names_of <- function(levels) {
  at <- function(l) sprintf("%s[%s]", l$effects, l$path)
  pairs <- Filter(function(l) length(l$effects) == 2, levels)
  c(
    unlist(lapply(levels, function(l) sprintf("/var(%s)", at(l)))),
    unlist(lapply(pairs, function(l) sprintf("/cov(%s)", paste(at(l), collapse = ","))))
  )
}

# Variances of all levels, then covariances.
entries <- function(sigmas) {
  c(unlist(lapply(sigmas, diag)), unlist(lapply(sigmas, function(s) s[lower.tri(s)])))
}

last <- function(b) c(b[-1], b[1])
reverse <- function(s) s[rev(seq_len(nrow(s))), rev(seq_len(nrow(s))), drop = FALSE]

# lme4's covariance matrices in the order of `groups`, the constant last.
sigmas_of <- function(fit, groups) lapply(groups, function(g) reverse(matrix(c(VarCorr(fit)[[g]]), nrow(VarCorr(fit)[[g]]))))

compare <- function(fit, check, groups, names, p) {
  gap <- abs(as.numeric(logLik(check)) - fit$ll)
  theirs <- c(last(unname(fixef(check))), entries(sigmas_of(check, groups)))
  ours <- c(fit$par[seq_len(p)], fit$par[grepl("\\[", names)])
  se <- c(fit$se[seq_len(p)], fit$se[grepl("\\[", names)])
  away <- max(abs(theirs - ours) / se)
  list(gap = gap, away = away)
}

# ------------------------------------------------------------------------------------------------- gaussian

linear <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 1e5))

# `z`: by level, the columns of Z in the order reported; `groups`: by level, the factor, highest level first.
add_gaussian <- function(id, data, command, y, x, z, groups, levels, residual, check) {
  p <- ncol(x)
  q <- sapply(z, ncol)
  names <- c(colnames(x), names_of(levels), residual)
  top <- split(seq_along(y), groups[[1]])
  # Rows of the same group, by level and top-level group.
  same <- lapply(groups, function(g) lapply(top, function(rows) outer(g[rows], g[rows], "==")))
  matrices <- function(par) {
    variances <- par[p + seq_len(sum(q))]
    covariances <- par[p + sum(q) + seq_len(sum(q == 2))]
    lapply(seq_along(q), function(l) {
      s <- diag(variances[sum(q[seq_len(l - 1)]) + seq_len(q[l])], q[l])
      if (q[l] == 2) s[1, 2] <- s[2, 1] <- covariances[sum(q[seq_len(l)] == 2)]
      s
    })
  }
  value <- function(par) {
    sigmas <- matrices(par)
    r <- y - drop(x %*% par[seq_len(p)])
    total <- 0
    for (j in seq_along(top)) {
      rows <- top[[j]]
      v <- diag(par[length(par)], length(rows))
      for (l in seq_along(q)) {
        zj <- z[[l]][rows, , drop = FALSE]
        v <- v + (zj %*% sigmas[[l]] %*% t(zj)) * same[[l]][[j]]
      }
      factor <- chol(v)
      w <- backsolve(factor, r[rows], transpose = TRUE)
      total <- total - sum(log(diag(factor))) - sum(w^2) / 2 - length(rows) / 2 * log(2 * pi)
    }
    total
  }
  # lmer's estimates are good to its optimizer's tolerance: Newton steps do the rest.
  keys <- names(groups)
  par <- c(last(unname(fixef(check))), entries(sigmas_of(check, keys)), sigma(check)^2)
  for (iteration in 1:3) par <- par - solve(numDeriv::hessian(value, par), numDeriv::grad(value, par))
  fit <- list(par = par, se = sqrt(diag(solve(-numDeriv::hessian(value, par)))), ll = value(par))
  agreed <- compare(fit, check, keys, names, p)
  stopifnot(agreed$gap < 1e-6, agreed$away < 1e-3)
  record(id, data, command, "gaussian", fit, names, sprintf(
    "Closed form in R. lmer(REML = FALSE) is within %.0e of the log likelihood, %.0e standard errors.",
    agreed$gap, agreed$away
  ))
}

fife_x <- with(fife, cbind(sex = sex, `_cons` = 1))
fife_groups <- with(fife, list(sid = factor(sid), `sid:pid` = interaction(sid, pid, drop = TRUE)))
one <- matrix(1, nrow(fife), 1)
add_gaussian(
  "fife-gaussian", "fife", "meglm attain sex || sid: || pid:", fife$attain, fife_x, list(one, one), fife_groups,
  list(level("sid"), level("sid>pid")), "/var(e.attain)",
  lmer(attain ~ sex + (1 | sid) + (1 | sid:pid), fife, REML = FALSE, control = linear)
)
add_gaussian(
  "fife-gaussian-slope-above", "fife", "meglm attain sex || sid: sex, covariance(unstructured) || pid:", fife$attain,
  fife_x, list(fife_x, one), fife_groups, list(level("sid", c("sex", "_cons")), level("sid>pid")), "/var(e.attain)",
  lmer(attain ~ sex + (sex | sid) + (1 | sid:pid), fife, REML = FALSE, control = linear)
)
add_gaussian(
  "fife-gaussian-slope-below", "fife", "meglm attain vrq sex || sid: || pid: sex, covariance(unstructured)",
  fife$attain, with(fife, cbind(vrq = vrq, sex = sex, `_cons` = 1)), list(one, fife_x), fife_groups,
  list(level("sid"), level("sid>pid", c("sex", "_cons"))), "/var(e.attain)",
  lmer(attain ~ vrq + sex + (1 | sid) + (sex | sid:pid), fife, REML = FALSE, control = linear)
)

# -------------------------------------------------------------------------------------------------- laplace

tight <- glmerControl(
  optimizer = "bobyqa", optCtrl = list(rhoend = 1e-9, maxfun = 1e5), tolPwrss = 1e-12, check.conv.singular = "ignore",
  check.conv.grad = "ignore"
)

# `groups`: glmer's names of the levels, highest first, in the order of the formula's random-effects terms.
add_laplace <- function(id, data, command, formula, frame, family, fixed, levels, groups) {
  fit <- glmmTMB(
    formula, frame, family = family,
    control = glmmTMBControl(optCtrl = list(iter.max = 2000, eval.max = 3000, rel.tol = 1e-10))
  )
  obj <- fit$obj
  par <- fit$fit$par
  kinds <- names(par)
  for (iteration in 1:6) par <- par - drop(solve(numDeriv::jacobian(obj$gr, par), drop(obj$gr(par))))
  q <- sapply(levels, function(l) length(l$effects))
  report <- function(par) {
    theta <- par[kinds == "theta"]
    sigmas <- list()
    for (l in seq_along(q)) {
      sd <- exp(theta[seq_len(q[l])])
      theta <- theta[-seq_len(q[l])]
      s <- diag(sd^2, q[l])
      if (q[l] == 2) {
        s[1, 2] <- s[2, 1] <- theta[1] / sqrt(1 + theta[1]^2) * sd[1] * sd[2]
        theta <- theta[-1]
      }
      sigmas[[l]] <- reverse(s)
    }
    unname(c(last(par[kinds == "beta"]), entries(sigmas)))
  }
  jac <- numDeriv::jacobian(report, par)
  v <- jac %*% solve(numDeriv::jacobian(obj$gr, par)) %*% t(jac)
  names <- c(fixed, names_of(levels))
  result <- list(par = report(par), se = sqrt(diag(v)), ll = -as.numeric(obj$fn(par)))
  agreed <- compare(result, glmer(formula, frame, family, control = tight), groups, names, length(fixed))
  stopifnot(agreed$gap < 1e-5, agreed$away < 1e-2)
  record(id, data, command, "laplace", result, names, sprintf(
    "glmmTMB, polished by Newton steps. glmer is within %.0e of the log likelihood, %.0e standard errors.",
    agreed$gap, agreed$away
  ))
}

add_laplace(
  "fife-laplace-logit", "fife", "melogit above sex || sid: || pid:, intmethod(laplace)",
  above ~ sex + (1 | sid) + (1 | sid:pid), fife, binomial, c("sex", "_cons"), list(level("sid"), level("sid>pid")),
  c("sid", "sid:pid")
)
mmmec_groups <- c("nation", "nation:region")
add_laplace(
  "mmmec-laplace-poisson", "mmmec",
  "mepoisson deaths uvb, exposure(expected) || nation: || region:, intmethod(laplace)",
  deaths ~ uvb + offset(log(expected)) + (1 | nation) + (1 | nation:region), mmmec, poisson, c("uvb", "_cons"),
  list(level("nation"), level("nation>region")), mmmec_groups
)
add_laplace(
  "mmmec-laplace-poisson-slope", "mmmec",
  paste(
    "mepoisson deaths uvb, exposure(expected)",
    "|| nation: || region: uvb, covariance(unstructured) intmethod(laplace)"
  ),
  deaths ~ uvb + offset(log(expected)) + (1 | nation) + (uvb | nation:region), mmmec, poisson, c("uvb", "_cons"),
  list(level("nation"), level("nation>region", c("uvb", "_cons"))), mmmec_groups
)
add_laplace(
  "mmmec-laplace-poisson-four-levels", "mmmec",
  "mepoisson deaths uvb, exposure(expected) || nation: || region: || county:, intmethod(laplace)",
  deaths ~ uvb + offset(log(expected)) + (1 | nation) + (1 | nation:region) + (1 | nation:region:county), mmmec,
  poisson, c("uvb", "_cons"), list(level("nation"), level("nation>region"), level("nation>region>county")),
  c(mmmec_groups, "nation:region:county")
)

# ---------------------------------------------------------------------------------------------------- write

versions <- sapply(c("lme4", "glmmTMB", "mlmRev", "numDeriv"), function(p) as.character(packageVersion(p)))
jsonlite::write_json(
  list(
    made_by = "scripts/reference_nested.R",
    software = as.list(c(R = as.character(getRversion()), versions)),
    models = values
  ),
  file.path(root, "nested.json"),
  auto_unbox = TRUE, digits = I(11), pretty = 1
)
