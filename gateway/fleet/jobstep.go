package fleet

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"dmgate/gateway/recipe"
	"dmgate/storage"
)

// purposeJob is the purpose of the tasks of jobs. Which step of the way one is of, the job knows.
const purposeJob = "job"

// Steps of a way.
const (
	stepLocate = "locate" // which nodes it works on
	stepSend   = "send"
	stepPoll   = "poll"   // how far is the device
	stepVerify = "verify" // is what was done to be seen
)

// rawRecipe stands for the way of a job of kind task, which has no recipe: its commands are sent as they are.
const rawRecipe = "commands"

// way is the way that is at work; nil where its recipe is gone.
func (t *jobTurn) way(j *storage.Job) *recipe.Way {
	return t.opt.Rules.Way(j.Way.Recipe, j.Way.Names, j.Way.Stage)
}

// step tells the device what the decision says: with a new task of the session.
func (t *jobTurn) step(s *jobSituation, d *decision) (changed, again bool, err error) {
	j := s.Job
	switch {
	case d.Move == send && j.Way.Recipe == "":
		j.Way = storage.JobWay{Recipe: s.Way, Names: s.Names, Begun: t.now}
	case j.State == storage.JobDownloaded || j.State == storage.JobMarked:
		if d.Move == verify {
			j.Way = storage.JobWay{Recipe: s.Way, Names: s.Names, Begun: t.now}
		}
	}
	way := t.way(j)
	if way == nil && j.Way.Recipe != rawRecipe {
		t.failWay(s, "there is no such recipe any more: "+j.Way.Recipe)
		return true, true, nil
	}
	values, err := t.values(j)
	if isFault(err) {
		t.failWay(s, inWords(err))
		return true, true, nil
	}
	if err != nil {
		return false, false, err
	}
	commands, fault := t.commandsOf(s, d, way, values)
	if fault != "" {
		t.failWay(s, fault)
		return true, true, nil
	}
	if len(commands) == 0 && s.Verdict == nil {
		t.failWay(s, "there is nothing to be sent")
		return true, true, nil
	}
	if len(commands) > 0 {
		t.say(s, d, commands)
	}
	t.look(s)
	return true, s.Verdict != nil, nil
}

// failWay is the end of a way that can not be gone, by no fault of the device.
func (t *jobTurn) failWay(s *jobSituation, why string) {
	t.wayFailed(s, &decision{Move: next, Why: why, As: outcomeOurs})
}

// commandsOf is what is said in the step that a decision leads to. With none the situation has a verdict. fault says why
// the way can not be gone.
func (t *jobTurn) commandsOf(
	s *jobSituation, d *decision, way *recipe.Way, v recipe.Values,
) (list []storage.Command, fault string) {
	j := s.Job
	var verdict recipe.Verdict
	switch d.Move {
	case more:
		list, s.next = s.next, nil
		return list, ""
	case poll:
		j.Way.Step, j.Way.Asked = stepPoll, nil
		j.Way.Rounds++
		list, err := way.Poll(v)
		if err != nil {
			return nil, inWords(err)
		}
		return list, ""
	case verify:
		if d.Heard && !j.Way.Heard {
			j.Way.Heard, j.Way.Begun = true, t.now
			t.closeTask(j.Way.Send, "its result was told otherwise")
		}
		if d.Heard {
			j.Way.Rounds = 0
		} else if j.Way.Heard {
			j.Way.Rounds++
		}
		j.Way.Step, j.Way.Asked, j.Way.Task = stepVerify, nil, 0
		if way == nil {
			s.Verdict = &recipe.Verdict{State: recipe.Done, Reason: "all its commands were carried out"}
			return nil, ""
		}
		list, verdict = way.Verify(v, nil)
		if verdict.State == recipe.Pending {
			return list, ""
		}
		if verdict.Reason == "" {
			verdict.Reason = "there is nothing to be read back"
		}
		s.Verdict = &verdict
		return nil, ""
	case stage:
		j.Way.Stage++
		way = t.way(j)
		if way == nil {
			return nil, "its recipe has no such part any more"
		}
	}
	if way == nil {
		j.Way.Step = stepSend
		return j.What.Commands, ""
	}
	if j.Way.Step == "" {
		var names map[string]string
		list, names, verdict = way.Locate(v, nil)
		switch verdict.State {
		case recipe.Pending:
			j.Way.Step = stepLocate
			return list, ""
		case recipe.Failed:
			return nil, verdict.Reason
		}
		j.Way.Names, way.Names = names, names
	}
	j.Way.Step, j.Way.Asked = stepSend, nil
	if err := t.address(j, v); err != nil {
		return nil, inWords(err)
	}
	list, err := way.Commands(v)
	if err != nil {
		return nil, inWords(err)
	}
	return list, ""
}

// say makes the task of a step.
func (t *jobTurn) say(s *jobSituation, d *decision, commands []storage.Command) {
	j := s.Job
	task := storage.Task{
		ID: t.newID(t.now), Device: t.dev.ID, Order: j.ID, Purpose: purposeJob, Commands: commands, Created: t.now,
		Priority: j.What.Priority, Deadline: j.What.Deadline,
	}
	j.Sessions = 0 // it is there
	if d.Move == more && j.Way.Task != 0 {
		j.Way.Asked = append(slices.Clone(j.Way.Asked), j.Way.Task)
	}
	j.Way.Task = task.ID
	if j.Way.Step == stepSend {
		j.Way.Send = task.ID
		j.Way.Begun = t.now
	}
	t.tasks = append(t.tasks, task)
	s.Task = &t.tasks[len(t.tasks)-1]
	if d.Move == more {
		d.Wait.Since = t.now
		j.Wait = d.Wait
		return
	}
	text := fmt.Sprintf("%s, %s: %s", j.Way.Recipe, j.Way.Step, tell(commands))
	if d.Why != "" {
		text = d.Why + ": " + text
	}
	switch j.State {
	case storage.JobDownloaded, storage.JobMarked:
		j.Note(t.now, text)
		return
	}
	state := storage.JobInstalling
	if j.Way.Heard {
		state = storage.JobVerifying
	}
	j.Enter(state, t.now, text, d.Wait)
}

// tell is a list of commands for the timeline: without data, which may be secret.
func tell(commands []storage.Command) string {
	const most = 4
	var b strings.Builder
	for i := range commands[:min(len(commands), most)] {
		if i > 0 {
			b.WriteString(", ")
		}
		c := &commands[i]
		fmt.Fprintf(&b, "%s %.120s", c.Kind, c.URI)
	}
	if n := len(commands) - most; n > 0 {
		fmt.Fprintf(&b, " and %d more", n)
	}
	return b.String()
}

// judge says what the answers to the job's last task mean.
func (t *jobTurn) judge(s *jobSituation, done bool) error {
	j := s.Job
	way := t.way(j)
	if way == nil && j.Way.Recipe != rawRecipe {
		s.Verdict = &recipe.Verdict{State: recipe.Failed, Reason: "its recipe is gone"}
		return nil
	}
	answers, err := t.answersTo(s.Task)
	if err != nil {
		return err
	}
	var v recipe.Verdict
	switch step := j.Way.Step; {
	case step == stepSend && way == nil:
		v = judgeRaw(s.Task, answers, done)
	case step == stepSend:
		if v = way.Judge(s.Task.Commands, answers); !done && (v.State == recipe.Done || v.State == recipe.Next) {
			v = recipe.Verdict{State: recipe.Pending}
		}
	case !done:
		return nil // what was asked for may still follow
	case step == stepPoll:
		v = way.JudgePoll(s.Task.Commands, answers)
	default:
		return t.judgeReading(s, way)
	}
	s.Verdict = &v
	return nil
}

// judgeReading says what was read in all tasks of the step: "locate" and "verify" may ask one thing after another.
func (t *jobTurn) judgeReading(s *jobSituation, way *recipe.Way) error {
	j := s.Job
	values, err := t.values(j)
	if isFault(err) {
		s.Verdict = &recipe.Verdict{State: recipe.Failed, Reason: inWords(err)}
		return nil
	}
	if err != nil {
		return err
	}
	read := make(map[string]storage.Answer)
	for _, id := range append(slices.Clone(j.Way.Asked), j.Way.Task) {
		task := s.Task
		if id != task.ID {
			if task, err = t.store.Task(t.dev.ID, id); err != nil {
				return err
			}
		}
		answers, err := t.answersTo(task)
		if err != nil {
			return err
		}
		recipe.Gather(read, task.Commands, answers)
	}
	var v recipe.Verdict
	if j.Way.Step == stepLocate {
		var names map[string]string
		if s.next, names, v = way.Locate(values, read); v.State == recipe.Done {
			j.Way.Names = names
		}
	} else {
		s.next, v = way.Verify(values, read)
	}
	s.Verdict, s.More = &v, v.State == recipe.Pending && len(s.next) > 0
	return nil
}

// judgeRaw says what the answers to commands without a recipe mean: the first one that was not carried out fails them.
func judgeRaw(task *storage.Task, answers []storage.Answer, done bool) recipe.Verdict {
	for i := range answers {
		if a := &answers[i]; !carriedOut(a.Code) && !(a.Late && a.Code >= 1200 && a.Code < 1300) {
			return recipe.Verdict{State: recipe.Failed, Reason: notCarriedOut(task, a)}
		}
	}
	if done {
		return recipe.Verdict{State: recipe.Done, Reason: "all its commands were carried out"}
	}
	if task.State == storage.TaskWaiting {
		return recipe.Verdict{State: recipe.Later, Reason: task.Reason}
	}
	return recipe.Verdict{State: recipe.Pending}
}

// answersTo are all answers to a task: those in the store, and those of the message that is being answered.
func (t *jobTurn) answersTo(task *storage.Task) ([]storage.Answer, error) {
	var list []storage.Answer
	stored, err := t.store.Results(t.dev.ID, task.ID-1, 1)
	if err != nil {
		return nil, err
	}
	for i := range stored {
		if stored[i].Task == task.ID {
			list = append(list, stored[i].Answers...)
		}
	}
	for i := range t.commit.Results {
		r := &t.commit.Results[i]
		if r.Task != task.ID {
			continue
		}
		for _, a := range r.Answers { // views into the message
			a.URI, a.Format, a.Type, a.Data = bytes.Clone(a.URI), bytes.Clone(a.Format), bytes.Clone(a.Type), bytes.Clone(a.Data)
			list = append(list, a)
		}
	}
	return list, nil
}

// look says how patient the job is with the way at work.
func (t *jobTurn) look(s *jobSituation) {
	way := t.way(s.Job)
	if way == nil {
		return
	}
	p := &s.Patience
	p.Late, p.Polls, p.Poll, p.Polled = way.Within(), way.Polls(), way.PollEvery(), way.PollMost()
	p.Verify = way.VerifyWithin()
	p.Look = min(shortestLook<<min(s.Job.Way.Rounds, 16), p.Verify/looks)
}
