# Reference values for two-level models, by R: writes tests/reference/values.json and tests/reference/data/*.csv.
#
# Needs lme4, glmmTMB, ordinal, nlme, MASS, numDeriv, jsonlite (Debian: r-cran-*).
# Run from the repository's root: Rscript scripts/reference_values.R
#
# Three methods, none of which shares code with the package:
#   agq       the marginal likelihood by quadrature written below, nodes centred on each group's mode, with so many
#             points that more change nothing; maximized here and compared with lme4 or ordinal where they fit the model.
#             lme4's own log likelihood with nAGQ > 1 leaves constants out, so it is not the one reported.
#   laplace   glmmTMB (observed curvature), polished by Newton steps on its exact gradient.
#   gaussian  the closed-form likelihood, compared with lmer(REML = FALSE).
# Standard errors come from the observed information in all parameters as reported, variances on their own scale.

suppressPackageStartupMessages({
  library(lme4)
  library(glmmTMB)
  library(numDeriv)
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

cbpp_data <- keep("cbpp", with(lme4::cbpp, data.frame(
  herd = as.integer(as.character(herd)), incidence = incidence, size = size, period = as.integer(period)
)))
sleepstudy_data <- keep("sleepstudy", with(lme4::sleepstudy, data.frame(
  Reaction = Reaction, Days = Days, Subject = as.integer(as.character(Subject))
)))
orthodont_data <- keep("orthodont", with(as.data.frame(nlme::Orthodont), data.frame(
  distance = distance, age = age, subject = as.integer(factor(as.character(Subject))),
  female = as.integer(Sex == "Female")
)))
epil_data <- keep("epil", with(MASS::epil, data.frame(
  subject = subject, seizures = y, treat = as.integer(trt == "progabide"), v4 = V4,
  lbas = round(log(base / 4), 10), lage = round(log(age) - mean(log(age)), 10)
)))
wine_data <- keep("wine", with(ordinal::wine, data.frame(
  rating = as.integer(rating), warm = as.integer(temp == "warm"), contact = as.integer(contact == "yes"),
  judge = as.integer(judge)
)))
bangladesh_data <- read.csv(gzfile("src/memagic/datasets/bangladesh.csv.gz"))

simulated_effects <- function(groups, sigma) matrix(rnorm(groups * nrow(sigma)), groups) %*% chol(sigma)

set.seed(20240611)
counts_data <- local({
  groups <- 60
  g <- rep(seq_len(groups), times = sample(5:15, groups, replace = TRUE))
  x <- round(rnorm(length(g)), 6)
  treated <- as.integer(runif(length(g)) < 0.4)
  time <- round(runif(length(g), 0.5, 4), 3)
  u <- simulated_effects(groups, matrix(c(0.40, 0.10, 0.10, 0.15), 2))
  eta <- 0.2 + 0.3 * x - 0.4 * treated + log(time) + u[g, 1] + u[g, 2] * x
  keep("counts", data.frame(g = g, y = rpois(length(g), exp(eta)), x = x, treated = treated, time = time))
})
positive_data <- local({
  groups <- 50
  g <- rep(seq_len(groups), times = sample(6:12, groups, replace = TRUE))
  x <- round(runif(length(g), -1, 1), 6)
  u <- simulated_effects(groups, matrix(c(0.15, 0.03, 0.03, 0.08), 2))
  mu <- exp(1.5 + 0.4 * x + u[g, 1] + u[g, 2] * x)
  y <- pmax(round(mu + rnorm(length(g), sd = 0.8), 4), 0.01)
  # Gamma with shape 4 about the same means.
  keep("positive", data.frame(g = g, y = y, waiting = round(rgamma(length(g), shape = 4, rate = 4 / mu), 6), x = x))
})

# --------------------------------------------------------------------------------- conditional densities

inverse_link <- list(
  logit = plogis, probit = pnorm, cloglog = function(eta) -expm1(-exp(eta)), log = exp, identity = identity
)
upper_tail <- list(
  logit = function(eta) plogis(-eta), probit = function(eta) pnorm(-eta), cloglog = function(eta) exp(-exp(eta))
)

# Each takes the response, the linear predictor (rows x nodes) and the family's own parameters.
density_of <- function(family, link, trials = 1) {
  mean_of <- inverse_link[[link]]
  switch(family,
    binomial = function(y, eta, phi) {
      lchoose(trials, y) + y * log(mean_of(eta)) + (trials - y) * log(upper_tail[[link]](eta))
    },
    poisson = function(y, eta, phi) dpois(y, exp(eta), log = TRUE),
    nbinomial_mean = function(y, eta, phi) dnbinom(y, size = exp(-phi), mu = exp(eta), log = TRUE),
    nbinomial_constant = function(y, eta, phi) {
      dnbinom(y, size = exp(eta - phi), prob = 1 / (1 + exp(phi)), log = TRUE)
    },
    gamma = function(y, eta, phi) {
      shape <- exp(-2 * phi)
      dgamma(y, shape = shape, rate = shape / exp(eta), log = TRUE)
    },
    ordinal = function(y, eta, phi) {
      cuts <- c(-Inf, phi, Inf)
      log(pmax(mean_of(cuts[y + 1] - eta) - mean_of(cuts[y] - eta), 0))
    }
  )
}

# ------------------------------------------------------------------------------------ random effects

# Reported parameters <-> matrix. Order: variances as in the equation (the constant last), then covariances.
structures <- list(
  independent = list(
    size = function(q) q, matrix = function(s, q) diag(s, q), start = function(q) rep(0.3, q),
    names = function(v, g) sprintf("/var(%s[%s])", v, g)
  ),
  identity = list(
    size = function(q) 1, matrix = function(s, q) diag(s, q), start = function(q) 0.3,
    names = function(v, g) sprintf("/var(%s[%s])", v[1], g), all = TRUE
  ),
  exchangeable = list(
    size = function(q) 2, start = function(q) c(0.3, 0),
    matrix = function(s, q) diag(s[1] - s[2], q) + s[2],
    names = function(v, g) c(sprintf("/var(%s[%s])", v[1], g), sprintf("/cov(%s[%s],%s[%s])", v[1], g, v[2], g))
  ),
  unstructured = list(
    size = function(q) q * (q + 1) / 2, start = function(q) c(rep(0.3, q), rep(0, q * (q - 1) / 2)),
    matrix = function(s, q) {
      m <- diag(s[seq_len(q)], q)
      if (q > 1) {
        m[lower.tri(m)] <- s[-seq_len(q)]
        m[upper.tri(m)] <- t(m)[upper.tri(m)]
      }
      m
    },
    names = function(v, g) {
      q <- length(v)
      pairs <- if (q > 1) which(lower.tri(diag(q)), arr.ind = TRUE) else matrix(0, 0, 2)
      c(
        sprintf("/var(%s[%s])", v, g),
        if (nrow(pairs)) sprintf("/cov(%s[%s],%s[%s])", v[pairs[, 2]], g, v[pairs[, 1]], g)
      )
    }
  )
)

# ------------------------------------------------------------------------------------------- quadrature

hermite <- function(n) {
  off <- sqrt(seq_len(n - 1) / 2)
  jacobi <- matrix(0, n, n)
  jacobi[cbind(seq_len(n - 1), 2:n)] <- off
  jacobi[cbind(2:n, seq_len(n - 1))] <- off
  e <- eigen(jacobi, symmetric = TRUE)
  list(x = e$values, logw = log(sqrt(pi) * e$vectors[1, ]^2))
}

product_rule <- function(points, q) {
  rule <- hermite(points)
  index <- as.matrix(expand.grid(rep(list(seq_len(points)), q)))
  x <- matrix(rule$x[index], ncol = q)
  list(x = x, logw = rowSums(matrix(rule$logw[index], ncol = q)) + rowSums(x^2) + q / 2 * log(2))
}

# Log likelihood as a function of (beta, phi, sigma) with nodes placed for `at`.
quadrature_model <- function(case) {
  y <- case$y
  x <- case$x
  z <- case$z
  g <- as.integer(factor(case$group))
  q <- ncol(z)
  groups <- max(g)
  p <- ncol(x)
  rule <- product_rule(case$points, q)
  density <- density_of(case$family, case$link, case$trials)
  split_par <- function(par) {
    m <- length(par) - p - case$n_phi
    list(
      beta = par[seq_len(p)], phi = par[p + seq_len(case$n_phi)],
      sigma = case$structure$matrix(tail(par, m), q)
    )
  }
  place <- function(at) {
    a <- split_par(at)
    fixed <- drop(x %*% a$beta) + case$offset
    precision <- solve(a$sigma)
    u <- matrix(0, groups, q)
    h <- 1e-4
    for (iteration in 1:60) {
      eta <- fixed + rowSums(z * u[g, , drop = FALSE])
      low <- density(y, eta - h, a$phi)
      mid <- density(y, eta, a$phi)
      high <- density(y, eta + h, a$phi)
      d1 <- (high - low) / (2 * h)
      d2 <- pmin((high - 2 * mid + low) / h^2, -1e-8)
      step <- matrix(0, groups, q)
      root <- array(0, c(groups, q, q))
      for (j in seq_len(groups)) {
        rows <- g == j
        zj <- z[rows, , drop = FALSE]
        hess <- crossprod(zj, -d2[rows] * zj) + precision
        step[j, ] <- solve(hess, crossprod(zj, d1[rows]) - precision %*% u[j, ])
        root[j, , ] <- t(chol(solve(hess)))
      }
      u <- u + pmax(pmin(step, 1), -1)
      if (max(abs(step)) < 1e-6) break
    }
    nodes <- array(0, c(groups, nrow(rule$x), q))
    logdet <- numeric(groups)
    for (j in seq_len(groups)) {
      cj <- matrix(root[j, , ], q)
      nodes[j, , ] <- sweep(sqrt(2) * rule$x %*% t(cj), 2, u[j, ], "+")
      logdet[j] <- sum(log(diag(cj)))
    }
    list(nodes = nodes, logdet = logdet)
  }
  value <- function(par, placed) {
    a <- split_par(par)
    root <- tryCatch(chol(a$sigma), error = function(e) NULL)
    if (is.null(root)) return(-1e10)
    k <- nrow(rule$x)
    eta <- matrix(drop(x %*% a$beta) + case$offset, length(y), k)
    flat <- matrix(placed$nodes, groups * k, q)
    for (d in seq_len(q)) eta <- eta + z[, d] * matrix(flat[, d], groups, k)[g, ]
    prior <- -colSums(backsolve(root, t(flat), transpose = TRUE)^2) / 2 - q / 2 * log(2 * pi) - sum(log(diag(root)))
    inside <- rowsum(density(y, eta, a$phi), g) + matrix(prior, groups, k)
    inside <- sweep(inside, 2, rule$logw, "+") + placed$logdet
    top <- apply(inside, 1, max)
    total <- sum(top + log(rowSums(exp(inside - top))))
    if (is.finite(total)) total else -1e10
  }
  list(place = place, value = value)
}

# Newton steps on the reported scale; the Hessian is renewed at the end for the standard errors.
polish <- function(objective, par) {
  for (round in 1:2) {
    hessian <- numDeriv::hessian(objective, par)
    for (iteration in 1:12) {
      step <- -solve(hessian, numDeriv::grad(objective, par))
      par <- par + step
      if (max(abs(step) * sqrt(diag(solve(-hessian)))^-1) < 1e-9) break
    }
  }
  list(par = par, se = sqrt(diag(solve(-numDeriv::hessian(objective, par)))), ll = objective(par))
}

# Rough maximum first, over variances' logarithms where the structure allows it.
climb <- function(value, par) {
  positive <- grepl("^/var", names(par))
  forward <- function(t) replace(t, positive, exp(t[positive]))
  fit <- nlminb(
    replace(par, positive, log(par[positive])), function(t) -value(forward(t)),
    control = list(rel.tol = 1e-12, eval.max = 2000, iter.max = 1000)
  )
  forward(fit$par)
}

record <- function(id, data, command, method, fit, names, software, notes = NULL) {
  names(fit$par) <- names(fit$se) <- names
  cat(sprintf("%-34s %.6f\n", id, fit$ll))
  values[[length(values) + 1]] <<- list(
    id = id, data = data, command = command, method = method, note = paste(c(software, notes), collapse = " "),
    ll = fit$ll, params = as.list(fit$par), se = as.list(fit$se)
  )
}

# `check`: fixed effects of another program, as a named or plain vector in the same order.
add_agq <- function(id, data, command, y, x, z, group, family, link, cov = "independent", points = 31,
                    trials = 1, offset = 0, phi = numeric(), check = NULL, notes = NULL) {
  structure <- structures[[cov]]
  case <- list(
    y = y, x = as.matrix(x), z = as.matrix(z), group = group[[1]], family = family, link = link, points = points,
    trials = trials, offset = offset, n_phi = length(phi), structure = structure
  )
  names <- c(colnames(case$x), names(phi), structure$names(colnames(case$z), names(group)))
  par <- c(rep(0, ncol(case$x)), phi, structure$start(ncol(case$z)))
  names(par) <- names
  model <- quadrature_model(case)
  for (round in 1:4) {
    placed <- model$place(par)
    par <- climb(function(t) model$value(t, placed), par)
  }
  placed <- model$place(par)
  fit <- polish(function(t) model$value(t, placed), par)
  agreed <- NULL
  if (!is.null(check)) {
    gap <- max(abs(check$par - fit$par[seq_along(check$par)]) / fit$se[seq_along(check$par)])
    stopifnot(gap < 2e-3)
    agreed <- sprintf("%s agrees to %.0e standard errors.", check$by, gap)
  }
  record(
    id, data, command, "agq", fit, names,
    paste0("Adaptive quadrature in R, ", points, " points a dimension."), c(agreed, notes)
  )
}

# ------------------------------------------------------------------------------------------ agq: one effect

tight <- glmerControl(
  optimizer = "bobyqa", optCtrl = list(rhoend = 1e-9, maxfun = 1e5), tolPwrss = 1e-12, check.conv.singular = "ignore",
  check.conv.grad = "ignore"
)
from_glmer <- function(formula, data, family, order = identity) {
  fit <- glmer(formula, data, family = family, nAGQ = 25, control = tight)
  list(par = order(unname(fixef(fit))), by = "lme4 (nAGQ = 25)")
}
last <- function(b) c(b[-1], b[1])

one <- function(n) matrix(1, n, 1, dimnames = list(NULL, "_cons"))
dummies <- function(v, name, levels) {
  m <- sapply(levels, function(k) as.numeric(v == k))
  colnames(m) <- paste0(levels, ".", name)
  m
}
bang_x <- with(bangladesh_data, cbind(
  `1.urban` = urban, age = age, dummies(children, "children", 1:3), `_cons` = 1
))
bang_z <- with(bangladesh_data, cbind(`1.urban` = urban, `_cons` = 1))
cbpp_x <- with(cbpp_data, cbind(dummies(period, "period", 2:4), `_cons` = 1))

for (link in c("logit", "probit", "cloglog")) {
  add_agq(
    paste0("cbpp-", link), "cbpp",
    sprintf("meglm incidence i.period || herd:, family(binomial size) link(%s) intpoints(25)", link),
    cbpp_data$incidence, cbpp_x, one(nrow(cbpp_data)), cbpp_data["herd"], "binomial", link,
    trials = cbpp_data$size,
    check = from_glmer(
      cbind(incidence, size - incidence) ~ factor(period) + (1 | herd), cbpp_data, binomial(link), last
    )
  )
}
for (link in c("logit", "probit", "cloglog")) {
  add_agq(
    paste0("bangladesh-", link), "bangladesh",
    sprintf("meglm c_use i.urban age i.children || district:, family(bernoulli) link(%s) intpoints(25)", link),
    bangladesh_data$c_use, bang_x, one(nrow(bangladesh_data)), bangladesh_data["district"], "binomial", link,
    check = from_glmer(
      c_use ~ urban + age + factor(children) + (1 | district), bangladesh_data, binomial(link), last
    )
  )
}
epil_x <- with(epil_data, cbind(`1.treat` = treat, lage = lage, v4 = v4, `_cons` = 1))
epil_one <- one(nrow(epil_data))
add_agq(
  "epil-poisson", "epil", "mepoisson seizures i.treat lage v4 || subject:, intpoints(25)",
  epil_data$seizures, epil_x, epil_one, epil_data["subject"], "poisson", "log",
  check = from_glmer(seizures ~ treat + lage + v4 + (1 | subject), epil_data, poisson, last)
)
add_agq(
  "epil-poisson-offset", "epil", "mepoisson seizures i.treat lage v4, offset(lbas) || subject:, intpoints(25)",
  epil_data$seizures, epil_x, epil_one, epil_data["subject"], "poisson", "log", offset = epil_data$lbas,
  check = from_glmer(
    seizures ~ treat + lage + v4 + offset(lbas) + (1 | subject), epil_data, poisson, last
  )
)
add_agq(
  "counts-poisson-exposure", "counts", "mepoisson y x i.treated, exposure(time) || g:, intpoints(25)",
  counts_data$y, with(counts_data, cbind(x = x, `1.treated` = treated, `_cons` = 1)), one(nrow(counts_data)),
  counts_data["g"], "poisson", "log", offset = log(counts_data$time),
  check = from_glmer(y ~ x + treated + offset(log(time)) + (1 | g), counts_data, poisson, last)
)
add_agq(
  "epil-nbinomial-mean", "epil", "menbreg seizures i.treat lage v4, offset(lbas) || subject:, intpoints(25)",
  epil_data$seizures, epil_x, epil_one, epil_data["subject"], "nbinomial_mean", "log", offset = epil_data$lbas,
  phi = c("/lnalpha" = -1)
)
add_agq(
  "epil-nbinomial-constant", "epil",
  "menbreg seizures i.treat lage v4, offset(lbas) || subject:, dispersion(constant) intpoints(25)",
  epil_data$seizures, epil_x, epil_one, epil_data["subject"], "nbinomial_constant", "log",
  offset = epil_data$lbas, phi = c("/lndelta" = -0.1),
  notes = "Variance mu (1 + delta)."
)
add_agq(
  "positive-gamma", "positive", "meglm waiting x || g:, family(gamma) link(log) intpoints(25)",
  positive_data$waiting, with(positive_data, cbind(x = x, `_cons` = 1)), one(nrow(positive_data)),
  positive_data["g"], "gamma", "log", phi = c("/logs" = -0.5),
  notes = "/logs is the logarithm of s in shape = 1/s^2, variance = s^2 mu^2."
)
for (link in c("logit", "probit")) {
  clmm <- ordinal::clmm(
    factor(rating) ~ warm + contact + (1 | judge),
    data = transform(wine_data, judge = factor(judge)), link = link, nAGQ = 25,
    control = ordinal::clmm.control(gradTol = 1e-8)
  )
  add_agq(
    paste0("wine-ordinal-", link), "wine",
    sprintf("meglm rating i.warm i.contact || judge:, family(ordinal) link(%s) intpoints(25)", link),
    wine_data$rating, with(wine_data, cbind(`1.warm` = warm, `1.contact` = contact)), one(nrow(wine_data)),
    wine_data["judge"], "ordinal", link, phi = c("/cut1" = -1, "/cut2" = 0, "/cut3" = 1, "/cut4" = 2),
    check = list(par = unname(c(clmm$beta, clmm$alpha)), by = "ordinal (nAGQ = 25)")
  )
}

# ------------------------------------------------------------------------------------------ agq: two effects

counts_x <- with(counts_data, cbind(x = x, `1.treated` = treated, `_cons` = 1))
counts_z <- with(counts_data, cbind(x = x, `_cons` = 1))
same <- c(
  identity = "One variance for both effects, under its first name.",
  exchangeable = "One variance for both effects, under its first name, and one covariance."
)
for (cov in c("independent", "identity", "exchangeable", "unstructured")) {
  add_agq(
    paste0("counts-poisson-slope-", cov), "counts",
    sprintf("mepoisson y x i.treated, exposure(time) || g: x, covariance(%s) intpoints(15)", cov),
    counts_data$y, counts_x, counts_z, counts_data["g"], "poisson", "log", cov = cov, points = 17,
    offset = log(counts_data$time), notes = if (cov %in% names(same)) same[[cov]]
  )
}
add_agq(
  "bangladesh-logit-slope-unstructured", "bangladesh",
  "melogit c_use i.urban age i.children || district: i.urban, covariance(unstructured) intpoints(15)",
  bangladesh_data$c_use, bang_x, bang_z, bangladesh_data["district"], "binomial", "logit",
  cov = "unstructured", points = 15
)

# ------------------------------------------------------------------------------------------------- laplace

# `effects`: the random effects' names in glmmTMB's order (the constant first); reported with the constant last.
add_laplace <- function(id, data, command, formula, frame, family, effects, group, cov = "unstructured",
                        fixed, residual = NULL, dispersion = NULL, check = NULL, offset = NULL) {
  frame$.offset <- if (is.null(offset)) 0 else offset
  fit <- glmmTMB(
    formula, frame, family = family, offset = .offset,
    control = glmmTMBControl(optCtrl = list(iter.max = 2000, eval.max = 3000, rel.tol = 1e-10))
  )
  obj <- fit$obj
  par <- fit$fit$par
  for (iteration in 1:6) {
    hessian <- numDeriv::jacobian(obj$gr, par)
    par <- par - drop(solve(hessian, drop(obj$gr(par))))
  }
  q <- length(effects)
  structure <- structures[[cov]]
  back <- if (q > 1) c(2:q, 1) else 1
  report <- function(par) {
    theta <- par[names(fit$fit$par) == "theta"]
    sd <- exp(theta[seq_len(q)])
    sigma <- diag(sd^2, q)
    if (q == 2 && cov == "unstructured") {
      sigma[1, 2] <- sigma[2, 1] <- theta[3] / sqrt(1 + theta[3]^2) * sd[1] * sd[2]
    }
    sigma <- sigma[back, back, drop = FALSE]
    beta <- last(unname(par[names(fit$fit$par) == "beta"]))
    extra <- par[names(fit$fit$par) == "betad"]
    if (!is.null(dispersion)) extra <- dispersion(extra)
    if (!length(dispersion)) extra <- numeric()
    head <- if (is.null(residual)) c(beta, extra) else beta
    tail <- if (is.null(residual)) numeric() else extra
    unname(c(head, diag(sigma), if (cov == "unstructured" && q > 1) sigma[lower.tri(sigma)], tail))
  }
  jac <- numDeriv::jacobian(report, par)
  v <- jac %*% solve(numDeriv::jacobian(obj$gr, par)) %*% t(jac)
  ll <- -as.numeric(obj$fn(par))
  agreed <- NULL
  if (!is.null(check)) {
    gap <- abs(as.numeric(logLik(check)) - ll)
    stopifnot(gap < 1e-3)
    agreed <- sprintf("lme4's Laplacian log likelihood is within %.0e.", gap)
  }
  record(
    id, data, command, "laplace", list(par = report(par), se = sqrt(diag(v)), ll = ll),
    c(fixed, structure$names(effects[back], group), residual), "glmmTMB, polished by Newton steps.", agreed
  )
}

bang_fixed <- colnames(bang_x)
bang_formula <- c_use ~ urban + age + factor(children) + (1 | district)
for (link in c("logit", "probit", "cloglog")) {
  add_laplace(
    paste0("bangladesh-laplace-", link), "bangladesh",
    sprintf("meglm c_use i.urban age i.children || district:, family(bernoulli) link(%s) intmethod(laplace)", link),
    bang_formula, bangladesh_data, binomial(link), "_cons", "district", fixed = bang_fixed,
    check = if (link == "logit") glmer(bang_formula, bangladesh_data, binomial, control = tight)
  )
  add_laplace(
    paste0("cbpp-laplace-", link), "cbpp",
    sprintf("meglm incidence i.period || herd:, family(binomial size) link(%s) intmethod(laplace)", link),
    cbind(incidence, size - incidence) ~ factor(period) + (1 | herd), cbpp_data, binomial(link), "_cons", "herd",
    fixed = colnames(cbpp_x),
    check = if (link == "logit") {
      glmer(cbind(incidence, size - incidence) ~ factor(period) + (1 | herd), cbpp_data, binomial, control = tight)
    }
  )
}
add_laplace(
  "bangladesh-laplace-slope-unstructured", "bangladesh",
  "melogit c_use i.urban age i.children || district: i.urban, covariance(unstructured) intmethod(laplace)",
  c_use ~ urban + age + factor(children) + (urban | district), bangladesh_data, binomial,
  c("_cons", "1.urban"), "district", fixed = bang_fixed,
  check = glmer(
    c_use ~ urban + age + factor(children) + (urban | district), bangladesh_data, binomial, control = tight
  )
)
add_laplace(
  "bangladesh-laplace-slope-independent", "bangladesh",
  "melogit c_use i.urban age i.children || district: i.urban, intmethod(laplace)",
  c_use ~ urban + age + factor(children) + diag(urban | district), bangladesh_data, binomial,
  c("_cons", "1.urban"), "district", cov = "independent", fixed = bang_fixed
)
add_laplace(
  "epil-laplace-poisson", "epil", "mepoisson seizures i.treat lage v4, offset(lbas) || subject:, intmethod(laplace)",
  seizures ~ treat + lage + v4 + (1 | subject), epil_data, poisson, "_cons", "subject",
  fixed = colnames(epil_x), offset = epil_data$lbas,
  check = glmer(seizures ~ treat + lage + v4 + (1 | subject), epil_data, poisson, offset = lbas, control = tight)
)
add_laplace(
  "counts-laplace-poisson-slope-unstructured", "counts",
  "mepoisson y x i.treated, exposure(time) || g: x, covariance(unstructured) intmethod(laplace)",
  y ~ x + treated + (x | g), counts_data, poisson, c("_cons", "x"), "g",
  fixed = colnames(counts_x), offset = log(counts_data$time),
  check = glmer(y ~ x + treated + (x | g), counts_data, poisson, offset = log(time), control = tight)
)
# glmmTMB's betad is log(1/alpha) for nbinom2 and the logarithm of the residual variance for gaussian.
add_laplace(
  "epil-laplace-nbinomial", "epil", "menbreg seizures i.treat lage v4, offset(lbas) || subject:, intmethod(laplace)",
  seizures ~ treat + lage + v4 + (1 | subject), epil_data, nbinom2, "_cons", "subject",
  fixed = c(colnames(epil_x), "/lnalpha"), dispersion = function(b) -b, offset = epil_data$lbas
)
add_laplace(
  "positive-laplace-gaussian-log", "positive", "meglm y x || g:, family(gaussian) link(log) intmethod(laplace)",
  y ~ x + (1 | g), positive_data, gaussian("log"), "_cons", "g", fixed = c("x", "_cons"),
  dispersion = exp, residual = "/var(e.y)"
)
add_laplace(
  "positive-laplace-gaussian-log-slope", "positive",
  "meglm y x || g: x, family(gaussian) link(log) covariance(unstructured) intmethod(laplace)",
  y ~ x + (x | g), positive_data, gaussian("log"), c("_cons", "x"), "g", fixed = c("x", "_cons"),
  dispersion = exp, residual = "/var(e.y)"
)

# ------------------------------------------------------------------------------------------------- gaussian

add_gaussian <- function(id, data, command, y, x, z, group, cov, residual, check = NULL) {
  structure <- structures[[cov]]
  g <- factor(group[[1]])
  p <- ncol(x)
  q <- ncol(z)
  value <- function(par) {
    sigma <- structure$matrix(par[p + seq_len(structure$size(q))], q)
    s2 <- par[length(par)]
    r <- y - drop(x %*% par[seq_len(p)])
    total <- 0
    for (rows in split(seq_along(y), g)) {
      zj <- z[rows, , drop = FALSE]
      root <- tryCatch(chol(zj %*% sigma %*% t(zj) + diag(s2, length(rows))), error = function(e) NULL)
      if (is.null(root)) return(-1e10)
      w <- backsolve(root, r[rows], transpose = TRUE)
      total <- total - sum(log(diag(root))) - sum(w^2) / 2 - length(rows) / 2 * log(2 * pi)
    }
    total
  }
  names <- c(colnames(x), structure$names(colnames(z), names(group)), residual)
  ols <- lm.fit(x, y)
  s2 <- mean(ols$residuals^2)
  # Half of the variance to the residual, half to each effect on the scale of its column.
  start <- structure$start(q)
  scale <- if (cov %in% c("identity", "exchangeable")) s2 / mean(z^2) else s2 / colMeans(z^2)
  start[seq_along(scale)] <- scale / 2
  par <- c(ols$coefficients, start, s2 / 2)
  names(par) <- names
  fit <- polish(value, climb(value, par))
  agreed <- NULL
  if (!is.null(check)) {
    gap <- abs(as.numeric(logLik(check)) - fit$ll)
    stopifnot(gap < 1e-6, max(abs(last(unname(fixef(check))) - fit$par[seq_len(p)]) / fit$se[seq_len(p)]) < 1e-4)
    agreed <- sprintf("lmer(REML = FALSE) is within %.0e of the log likelihood.", gap)
  }
  record(id, data, command, "gaussian", fit, names, "Closed form in R.", c(
    agreed, if (cov %in% c("identity", "exchangeable")) same[[cov]]
  ))
}

linear <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 1e5))
sleep_x <- with(sleepstudy_data, cbind(Days = Days, `_cons` = 1))
sleep_check <- list(
  unstructured = Reaction ~ Days + (Days | Subject), independent = Reaction ~ Days + (Days || Subject)
)
for (cov in c("independent", "identity", "exchangeable", "unstructured")) {
  add_gaussian(
    paste0("sleepstudy-", cov), "sleepstudy",
    sprintf("meglm Reaction Days || Subject: Days, covariance(%s)", cov),
    sleepstudy_data$Reaction, sleep_x, sleep_x, sleepstudy_data["Subject"], cov, "/var(e.Reaction)",
    check = if (cov %in% names(sleep_check)) {
      lmer(sleep_check[[cov]], sleepstudy_data, REML = FALSE, control = linear)
    }
  )
}
add_gaussian(
  "sleepstudy-intercept", "sleepstudy", "meglm Reaction Days || Subject:", sleepstudy_data$Reaction, sleep_x,
  one(nrow(sleepstudy_data)), sleepstudy_data["Subject"], "independent", "/var(e.Reaction)",
  check = lmer(Reaction ~ Days + (1 | Subject), sleepstudy_data, REML = FALSE, control = linear)
)
ortho_x <- with(orthodont_data, cbind(`1.female` = female, age = age, `1.female#c.age` = female * age, `_cons` = 1))
ortho_z <- with(orthodont_data, cbind(age = age, `_cons` = 1))
add_gaussian(
  "orthodont-intercept", "orthodont", "meglm distance i.female##c.age || subject:", orthodont_data$distance,
  ortho_x, one(nrow(orthodont_data)), orthodont_data["subject"], "independent", "/var(e.distance)",
  check = lmer(distance ~ female * age + (1 | subject), orthodont_data, REML = FALSE, control = linear)
)
add_gaussian(
  "orthodont-slope-unstructured", "orthodont",
  "meglm distance i.female##c.age || subject: age, covariance(unstructured)", orthodont_data$distance,
  ortho_x, ortho_z, orthodont_data["subject"], "unstructured", "/var(e.distance)",
  check = lmer(distance ~ female * age + (age | subject), orthodont_data, REML = FALSE, control = linear)
)

# ---------------------------------------------------------------------------------------------------- write

versions <- sapply(c("lme4", "glmmTMB", "ordinal", "numDeriv"), function(p) as.character(packageVersion(p)))
jsonlite::write_json(
  list(
    made_by = "scripts/reference_values.R",
    software = as.list(c(R = as.character(getRversion()), versions)),
    models = values
  ),
  file.path(root, "values.json"),
  auto_unbox = TRUE, digits = I(11), pretty = 1
)
