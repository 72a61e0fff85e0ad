# Reference values for predicted random effects, by R: writes tests/reference/effects.json.
#
# Needs lme4, ordinal, jsonlite (Debian: r-cran-*). Run from the repository's root: Rscript scripts/reference_effects.R
#
# Conditional modes and their conditional standard deviations by lme4, at the Laplacian approximation
# (canonical links, where observed and expected information agree) and, for linear models, in closed form.

suppressPackageStartupMessages(library(lme4))

root <- "tests/reference"
values <- list()
tight <- glmerControl(optimizer = "nloptwrap", optCtrl = list(xtol_abs = 1e-12, ftol_abs = 1e-14, maxeval = 1e5), tolPwrss = 1e-13)
tight_linear <- lmerControl(optCtrl = list(xtol_abs = 1e-12, ftol_abs = 1e-14, maxeval = 1e5))

read <- function(name) read.csv(file.path(root, "data", paste0(name, ".csv")))

# `levels` names lme4's terms as the package names its levels; effects get the package's names.
record <- function(id, data, command, fit, levels) {
  found <- ranef(fit, condVar = TRUE)
  entries <- lapply(seq_along(levels), function(k) {
    frame <- found[[names(levels)[k]]]
    variance <- attr(frame, "postVar")
    if (is.list(variance)) stop("one term a level")
    se <- t(apply(variance, 3, function(v) sqrt(diag(as.matrix(v)))))
    if (ncol(frame) == 1) se <- t(se)
    effects <- sub("^\\(Intercept\\)$", "_cons", colnames(frame))
    list(
      level = levels[[k]], groups = rownames(frame), effects = I(effects),
      value = unname(as.matrix(frame)), se = unname(se)
    )
  })
  cat(sprintf("%-24s %.6f\n", id, as.numeric(logLik(fit))))
  values[[length(values) + 1]] <<- list(id = id, data = data, command = command, levels = entries)
}

cbpp <- read("cbpp")
record(
  "cbpp-logit", "cbpp", "melogit incidence i.period, binomial(size) || herd:, intmethod(laplace)",
  glmer(cbind(incidence, size - incidence) ~ factor(period) + (1 | herd), cbpp, binomial, control = tight),
  list(herd = "herd")
)
epil <- read("epil")
record(
  "epil-poisson-slope", "epil",
  "mepoisson seizures treat v4 lbas || subject: v4, covariance(unstructured) intmethod(laplace)",
  glmer(seizures ~ treat + v4 + lbas + (v4 | subject), epil, poisson, control = tight),
  list(subject = "subject")
)
fife <- read("fife")
record(
  "fife-crossed-logit", "fife", "melogit above sex || _all: R.sid || pid:",
  glmer(above ~ sex + (1 | sid) + (1 | pid), fife, binomial, control = tight),
  list(sid = "_all>sid", pid = "pid")
)
sleepstudy <- read("sleepstudy")
names(sleepstudy) <- tolower(names(sleepstudy))
record(
  "sleepstudy-linear", "sleepstudy", "meglm reaction days || subject: days, covariance(unstructured)",
  lmer(reaction ~ days + (days | subject), sleepstudy, REML = FALSE, control = tight_linear),
  list(subject = "subject")
)
mmmec <- read("mmmec")
record(
  "mmmec-poisson-nested", "mmmec", "mepoisson deaths uvb, exposure(expected) || nation: || region:, intmethod(laplace)",
  glmer(deaths ~ uvb + offset(log(expected)) + (1 | nation) + (1 | region), mmmec, poisson, control = tight),
  list(nation = "nation", region = "nation>region")
)

# ordinal's clmm has the same modes, for an ordinal response.
wine <- read("wine")
suppressPackageStartupMessages(library(ordinal))
wine_fit <- clmm(factor(rating) ~ warm + contact + (1 | judge), data = wine, control = clmm.control(gradTol = 1e-10))
modes <- ordinal::ranef(wine_fit)$judge
cat(sprintf("%-24s %.6f\n", "wine-ordinal", as.numeric(logLik(wine_fit))))
values[[length(values) + 1]] <- list(
  id = "wine-ordinal", data = "wine", command = "meologit rating warm contact || judge:, intmethod(laplace)",
  levels = list(list(
    level = "judge", groups = rownames(modes), effects = I("_cons"), value = unname(as.matrix(modes)),
    se = unname(sqrt(as.matrix(ordinal::condVar(wine_fit)$judge)))
  ))
)

jsonlite::write_json(
  list(
    made_by = "scripts/reference_effects.R",
    software = as.list(c(R = as.character(getRversion()), lme4 = as.character(packageVersion("lme4")))),
    models = values
  ),
  file.path(root, "effects.json"),
  auto_unbox = TRUE, digits = I(9)
)
